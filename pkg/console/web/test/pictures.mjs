// Pictures of each page for docs/console.md, of the same data each time.
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { closeBrowser, logInByKey, open, Server } from './harness.mjs'
import { clusterId, seed } from './seed.mjs'

const folder = resolve(process.env.JUNCTOR_PICTURES)
mkdirSync(folder, { recursive: true })
const server = await Server.start()
const accounts = await seed(server)
const wide = { viewport: { width: 1120, height: 700 } }

async function take(name, path, options = wide, prepare = async () => {}) {
  const page = await open(server, options)
  await page.goto(server.console + path)
  if (name !== 'log-in') await logInByKey(page, server.admin.api_key)
  await page.waitForLoadState('networkidle')
  await prepare(page)
  await page.waitForLoadState('networkidle')
  await page.screenshot({ path: `${folder}/${name}.png` })
  await page.done()
}

await take('log-in', '')
await take('pool', '')
await take('pool-dark', '', { ...wide, colorScheme: 'dark' })
await take('addresses', 'addresses?status=assigned')
await take('address', 'addresses?ip=192.0.2.1')
await take('address-narrow', 'addresses?ip=192.0.2.1', { viewport: { width: 390, height: 700 } })
await take('assign', 'addresses?status=available&zone=us-west', wide, async (page) => {
  for (const box of (await page.getByRole('checkbox').all()).slice(1, 6)) await box.check()
  await page.getByRole('button', { name: 'Assign' }).click()
  await page.getByLabel('Account').fill('bor')
  await page.getByRole('option').waitFor()
})
await take('import', 'import', wide, async (page) => {
  await page.getByLabel('CIDR').fill('198.51.100.64/28\n192.0.2.5\n192.0.2.300')
  await page.getByLabel('Zone').fill('us-east')
  await page.getByLabel('Host').fill('proxy3.east.example.com')
  await page.getByText('would be created').waitFor()
})
await take('account', `accounts?id=${accounts['Borealis Voice'].id}`)
await take('cluster', `clusters?id=${clusterId}`)
await take('cluster-edit', `clusters?edit=${clusterId}`, wide, async (page) => {
  await page.getByLabel('Inbound').first().fill('192.0.2.10\n192.0.2.12')
})
await take('history', 'history')
await take('health', 'health')
await closeBrowser()
await server.stop()
