// Measures the console on a large pool.
import assert from 'node:assert/strict'
import { closeBrowser, logInByKey, open, Server, until } from './harness.mjs'

const wanted = Number(process.env.JUNCTOR_ADDRESSES)
const server = await Server.start()
for (let n = 0, block = 0; n < wanted; block++) {
  const size = Math.min(16_384, wanted - n)
  const first = `10.${block >> 2}.${(block & 3) * 64}.0`
  const at = (k) => `10.${block >> 2}.${(block & 3) * 64 + (k >> 8)}.${k & 255}`
  await server.api('PUT', 'ips', { zone: `zone-${block % 8}`, host: `proxy${block}.example.com`, ips: [{ range: `${first}-${at(size - 1)}` }] })
  n += size
}
const account = server.account('Acme Telecom', 'acme.example.com')
for (let n = 0; n < 3; n++) await server.api('POST', `accounts/${account.id}/ips`, { quantity: 1000 })

const page = await open(server)
page.setDefaultTimeout(120_000)
let bytes = 0
page.on('requestfinished', async (request) => {
  const sizes = await request.sizes()
  bytes += sizes.responseBodySize
})
await page.goto(server.console)
await page.waitForLoadState('networkidle')
console.log(`first page loads ${bytes} bytes, compressed`)
await logInByKey(page, server.admin.api_key)
await page.getByRole('heading', { name: 'By zone' }).waitFor()

for (const path of ['', 'addresses']) {
  const times = []
  for (let n = 0; n < 5; n++) {
    await page.goto(server.console + path, { waitUntil: 'commit' })
    // Until the first data are on the page, by the clock of the page.
    times.push(await page.evaluate(() => new Promise((done) => {
      const look = () => document.querySelector('.bars li, tbody tr') ? done(performance.now()) : requestAnimationFrame(look)
      look()
    })))
  }
  console.log(`first drawn ${path || 'pool'} page with ${wanted} addresses: ${times.map((t) => Math.round(t)).join(', ')} ms`)
}

const client = await page.context().newCDPSession(page)
await client.send('Performance.enable')
const memory = async () => {
  await client.send('HeapProfiler.collectGarbage')
  const { metrics } = await client.send('Performance.getMetrics')
  const of = (name) => metrics.find((m) => m.name === name).value
  return { heap: Math.round(of('JSHeapUsedSize') / 1e6), nodes: of('Nodes') }
}
console.log('memory before scrolling, MB:', await memory())
const started = Date.now()
const list = page.getByRole('region', { name: 'List of addresses' })
let seen = 0
for (;;) {
  const state = await list.evaluate((box) => {
    box.scrollTop = box.scrollHeight
    return { rows: Math.round(box.scrollHeight / 34), end: document.querySelector('.bulk .num').textContent }
  })
  seen = state.rows
  if (!/more below|Reading/.test(state.end)) break
  await page.evaluate(() => new Promise((go) => requestAnimationFrame(go)))
  assert.ok(Date.now() - started < 300_000)
}
console.log(`scrolled ${seen} rows in ${Math.round((Date.now() - started) / 1000)} s; memory after, MB:`, await memory())
await list.evaluate((box) => { box.scrollTop = box.scrollHeight / 3 })
await until('rows in the middle, read again', () => page.evaluate(() => {
  const rows = [...document.querySelectorAll('tbody tr:not(.spacer)')]
  return rows.length > 10 && rows.every((row) => row.querySelector('a'))
}))
assert.ok((await memory()).heap < 200)
await closeBrowser()
await server.stop()
