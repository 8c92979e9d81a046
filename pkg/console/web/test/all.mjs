// All tests, in one process with one browser.
import { after } from 'node:test'
import { closeBrowser } from './harness.mjs'

await import('./login.test.mjs')
await import('./pool.test.mjs')
after(closeBrowser)
