// Every page and every action, on a pool with data.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { after, before, test } from 'node:test'
import { examine, fits, open, openAsAdmin, logInByKey, Server, until } from './harness.mjs'
import { clusterId, hostile, seed } from './seed.mjs'

let server
let accounts
let page

before(async () => {
  server = await Server.start()
  accounts = await seed(server)
  page = await openAsAdmin(server)
})
after(() => server.stop())

const to = (name) => page.getByRole('link', { name }).click()
const button = (name) => page.getByRole('button', { name })
const row = (ip) => page.getByRole('row').filter({ has: page.getByRole('link', { name: ip, exact: true }) })
const stored = async (ip) => (await server.api('GET', `ips/${ip}`)).data

/** Goes to the addresses, and opens one. */
async function details(ip) {
  await page.goto(`${server.console}addresses?ip=${ip}`)
  await page.getByRole('heading', { name: ip }).waitFor()
  await page.getByText('Held by').waitFor()
}

/** Chooses an account in the dialog. */
async function choose(name) {
  await page.getByLabel('Account').fill(name.slice(0, 5))
  await page.getByRole('option').filter({ hasText: name }).click()
}

test('every page has its heading, and axe-core finds nothing', async () => {
  for (const name of ['Pool', 'Addresses', 'Accounts', 'Clusters', 'History', 'Health']) {
    await to(name)
    await page.getByRole('heading', { name, exact: true }).waitFor()
    await page.waitForLoadState('networkidle')
    await examine(page, name)
  }
  await to('Addresses')
  await button('Import').click()
  await page.getByRole('heading', { name: 'Import', exact: true }).waitFor()
  await examine(page, 'Import')
})

test('the pool shows what each zone has, and which runs low', async () => {
  await to('Pool')
  await page.getByRole('img', { name: '35 assigned, 0 cooling, 57 available' }).waitFor()
  await page.getByText('runs low').waitFor()
  await page.getByRole('row', { name: 'eu-central' }).first().getByText('13', { exact: true }).waitFor()
  await page.getByRole('list').getByRole('link', { name: 'us-west' }).click()
  await page.getByText('30 addresses').waitFor()
  assert.equal(new URL(page.url()).search, '?zone=us-west')
})

test('filters are in the URL, and a wrong one is an error at its field', async () => {
  await page.goto(`${server.console}addresses`)
  await page.getByText('144 addresses').waitFor()
  await page.getByLabel('Zone').selectOption('us-east')
  await page.getByLabel('Status').selectOption('assigned')
  await page.getByText('35 addresses').waitFor()
  await choose('Acme Telecom')
  await page.getByText('21 addresses').waitFor()
  await page.getByLabel('Search').fill('192.0.2.')
  await page.reload()
  await page.getByText(/\d+ addresses/).waitFor()
  assert.equal(await page.getByLabel('Zone').inputValue(), 'us-east')
  assert.equal(await page.getByLabel('Search').inputValue(), '192.0.2.')
  assert.equal(await page.getByLabel('Account').inputValue(), accounts['Acme Telecom'].id)
  await button('Clear filters').click()
  await page.getByText('144 addresses').waitFor()
  page.expected.push(/400/)
  await page.getByLabel('CIDR').fill('192.0.2.0/99')
  await until('the error', async () => (await page.getByLabel('CIDR').getAttribute('aria-invalid')) === 'true')
  await page.getByText('Value must be an address and a prefix length').waitFor()
  await examine(page, 'a wrong filter')
  await page.getByLabel('CIDR').fill('2001:db8::/32')
  await page.getByText('8 addresses').waitFor()
})

test('the list is downloaded as CSV', async () => {
  await page.goto(`${server.console}addresses?zone=us-west`)
  await page.getByText('30 addresses').waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), button('Download CSV').click()])
  const lines = readFileSync(await download.path(), 'utf8').trim().split('\r\n')
  assert.equal(lines.length, 31)
  assert.equal(lines[0], 'ip,zone,host,status,assigned_to,account_name,notes,cooling_until')
  assert.match(lines[1], /^203\.0\.113\.1,us-west,proxy1\.west\.example\.com,(available|assigned),/)
})

test('assign, move, release, edit and delete one address', async () => {
  const ip = (await server.api('GET', 'ips/all?status=available&zone=us-east')).data[0].ip
  await details(ip)
  await button('Assign').click()
  await page.getByText('will be assigned to the account below').waitFor()
  await examine(page, 'the dialog')
  await button('Assign').click()
  await page.getByText('Name an account').waitFor()
  await choose('Acme Telecom')
  await button('Assign').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await row(ip).getByText('assigned').waitFor()
  assert.equal((await stored(ip)).assigned_to, accounts['Acme Telecom'].id)

  await button('Move').click()
  await page.getByText('will be taken from Acme Telecom').waitFor()
  await page.getByLabel('Account').fill('borealis.example.net') // a realm does as well
  await button('Move').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await row(ip).getByText('Borealis Voice').waitFor()
  assert.equal((await stored(ip)).assigned_to, accounts['Borealis Voice'].id)

  await button('Release').click()
  await page.getByText('will be taken from Borealis Voice').waitFor()
  await button('Release').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await row(ip).getByText('available').waitFor()

  await button('Edit').click()
  await page.getByLabel('Zone').fill('us-north')
  await page.getByLabel('Host').fill('proxy9.north.example.com')
  await page.getByLabel('Notes').fill('under test')
  await button('Save edit').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await row(ip).getByText('us-north').waitFor()
  assert.equal((await stored(ip)).host, 'proxy9.north.example.com')

  await button('Delete').click()
  await page.getByText('out of the pool for good').waitFor()
  await button('Delete').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await row(ip).waitFor({ state: 'detached' })
  await page.getByText('143 addresses').waitFor()
})

test('a lost race is told in the words of the server, at the address', async () => {
  const ip = (await server.api('GET', 'ips/all?status=available&zone=us-east')).data[1].ip
  await details(ip)
  await button('Assign').click()
  await server.api('POST', `accounts/${accounts['Dune Hotels'].id}/ips/${ip}`, {})
  await choose('Acme Telecom')
  page.expected.push(/400|412/)
  await button('Assign').click()
  await page.getByRole('alert').filter({ hasText: ip }).waitFor()
  await button('Cancel').click()
  // What the server has is shown.
  await row(ip).getByText('Dune Hotels').waitFor()
  assert.equal((await stored(ip)).assigned_to, accounts['Dune Hotels'].id)
  // Another one: the address was edited after it was shown.
  await server.api('PATCH', `ips/${ip}`, { notes: 'by somebody else' })
  await button('Edit').click()
  await page.getByLabel('Zone').fill('elsewhere')
  await button('Save edit').click()
  await page.getByRole('alert').getByText('Somebody else has changed it').waitFor()
  await button('Cancel').click()
  await page.getByRole('region', { name: 'Details' }).getByText('by somebody else').waitFor()
  assert.equal((await stored(ip)).zone, 'us-east')
})

test('many at once, with what failed still selected', async () => {
  await page.goto(`${server.console}addresses?status=available&zone=us-west`)
  await page.getByText('16 addresses').waitFor()
  const ips = (await server.api('GET', 'ips/all?status=available&zone=us-west')).data.map((a) => a.ip).slice(0, 5)
  for (const ip of ips) await page.getByLabel(`Select ${ip}`, { exact: true }).check()
  await page.getByText('5 addresses selected').waitFor()
  await server.api('POST', `accounts/${accounts['Dune Hotels'].id}/ips/${ips[2]}`, {}) // somebody is faster
  await button('Assign').click()
  await choose('Acme Telecom')
  page.expected.push(/400/)
  await button('Assign').click()
  await page.getByText('5 of 5 done, 1 failed and stay selected').waitFor()
  await examine(page, 'the progress')
  await button('Close').click()
  await page.getByText('1 address selected').waitFor()
  await page.getByText('11 addresses').waitFor({ state: 'detached' })
  assert.equal((await stored(ips[4])).assigned_to, accounts['Acme Telecom'].id)
  assert.equal((await stored(ips[2])).assigned_to, accounts['Dune Hotels'].id)
  await button('Clear selection').click()
  await page.getByText('11 addresses').waitFor()
})

test('allocate lets the pool choose, and too few are told', async () => {
  await page.goto(`${server.console}addresses`)
  await button('Allocate').click()
  await choose('Elm Street Clinic')
  await page.getByLabel('Quantity').fill('900')
  page.expected.push(/409/)
  await button('Allocate').click()
  await page.getByText(/Only \d+ of 900 addresses are available/).waitFor()
  await page.getByLabel('Quantity').fill('3')
  await page.getByLabel('Spread').check()
  await button('Allocate').click()
  await page.getByText('3 addresses are assigned:').waitFor()
  await button('Close').click()
  await to('Accounts')
  await page.getByLabel('Search').fill('elm.')
  await page.getByRole('link', { name: 'Elm Street Clinic' }).click()
  await page.getByText('Holds').waitFor()
  await until('the addresses', async () => (await page.getByRole('checkbox').count()) === 3)
  await examine(page, 'an account')
  await page.getByRole('checkbox').first().check()
  await button('Release').click()
  await button('Release').click()
  await until('the release', async () => (await page.getByRole('checkbox').count()) === 2)
})

test('import: a dry run, then the run', async () => {
  await page.goto(`${server.console}import`)
  await page.getByLabel('CIDR').fill('198.51.100.64/29\nnonsense')
  await page.getByLabel('Zone').fill('us-south')
  await page.getByLabel('Host').fill('proxy1.south.example.com')
  await page.getByText('6 addresses would be created').waitFor()
  await page.getByText('1 entry would be refused').waitFor()
  await page.getByText('ip must be an IPv4 or IPv6 address').first().waitFor()
  await examine(page, 'a dry run')
  await button('Import').click()
  await page.getByText('6 addresses were created').waitFor()
  assert.equal((await stored('198.51.100.65')).zone, 'us-south')
  await button('Add more').click()
  await page.getByLabel('CSV file').setInputFiles({ name: 'pool.csv', mimeType: 'text/csv', buffer: Buffer.from(
    'ip,zone,host,notes\r\n198.51.100.65,us-south,proxy1.south.example.com,\r\n10.9.8.7,"us, south",h,"said ""yes"""\r\nbad,us-south,h,\r\n') })
  await page.getByText('1 address would be created').waitFor()
  await page.getByText('Line 4').waitFor()
  await button('Import').click()
  await page.getByText('1 address was created').waitFor()
  const { data } = await server.api('GET', 'ips/all?cidr=10.9.8.7')
  assert.deepEqual([data[0].zone, data[0].notes], ['us, south', 'said "yes"'])
})

test('clusters: matrix, look-up, edit with a comparison, and somebody else was faster', async () => {
  await to('Clusters')
  await page.getByRole('heading', { name: 'Clusters' }).waitFor()
  await page.getByLabel('Address').fill('203.0.113.66')
  await button('Look up').click()
  await page.getByRole('status').getByText('Borealis EU').waitFor()
  await page.getByRole('link', { name: 'Acme East and West' }).click()
  await page.getByRole('heading', { name: 'Acme East and West' }).waitFor()
  await page.getByText('198.51.100.3').waitFor()
  await examine(page, 'a cluster')
  await button('Edit').click()
  await page.getByLabel('Outbound').first().fill('198.51.100.3\n203.0.113.67')
  await page.getByRole('insertion').getByText('203.0.113.67').waitFor()
  await examine(page, 'the editor')
  page.expected.push(/400|412/)
  await button('Save edit').click()
  await until('the error', async () => (await page.getByLabel('Outbound').first().getAttribute('aria-invalid')) === 'true')
  await page.getByLabel('Outbound').first().fill('198.51.100.3\n198.51.100.4')
  await server.api('PATCH', `routing/customer_clusters/${clusterId}`, { name: 'Renamed meanwhile' })
  await button('Save edit').click()
  await page.getByText('The comparison is with what is stored now').waitFor()
  await page.getByRole('deletion').getByText('Renamed meanwhile').waitFor()
  await button('Save edit').click()
  await page.getByRole('heading', { name: 'Acme East and West' }).waitFor()
  const { data } = await server.api('GET', `routing/customer_clusters/${clusterId}`)
  assert.deepEqual(data.ips.outbound['us-east'], ['198.51.100.3', '198.51.100.4'])
})

test('history: time lines, filters, and who had an address', async () => {
  const acme = accounts['Acme Telecom']
  const ip = (await server.api('GET', 'ips/all?status=available&zone=us-east')).data[3].ip
  server.run('ips', 'assign', acme.id, ip)
  await server.api('DELETE', `accounts/${acme.id}/ips/${ip}`)
  await until('the events', async () => (await server.api('GET', `ips/${ip}/history`)).data.length === 3)
  await details(ip)
  const line = page.getByRole('region', { name: 'Details' }).getByRole('listitem')
  const [released, assigned, created] = await line.allTextContents()
  assert.match(released, /Released from Acme Telecom.*by Master Account, through the API/)
  assert.ok(/Assigned to Acme Telecom/.test(assigned) && assigned.includes(`by ${userInfo().username}, on the command line`), assigned)
  assert.match(created, /Created/)
  await to('History')
  await page.getByLabel('Address').fill(ip)
  await page.getByText('3 events').waitFor()
  await page.getByLabel('Address').fill('')
  await choose('Dune Hotels')
  await until('events of one account', async () => {
    const texts = await page.getByRole('region', { name: 'Events' }).getByRole('listitem').allTextContents()
    return texts.length > 0 && texts.every((text) => text.includes('Dune Hotels'))
  })
  await examine(page, 'a filtered history')
  await page.getByLabel('From').fill('2001-01-01T00:00')
  await page.getByLabel('Until').fill('2001-01-02T00:00')
  await page.getByText('No event matches').waitFor()
  await page.reload()
  await page.getByText('No event matches').waitFor()
  await page.getByLabel('IP').fill(ip)
  await button('Look up').click()
  await page.getByText('belonged to nobody').waitFor()
})

test('what the server returns stays text, and keeps the layout', async () => {
  const account = server.account(hostile.name, 'hostile.example.com')
  await server.api('PUT', 'ips', { ips: [{ ip: '10.6.6.6', zone: hostile.zone, host: hostile.host, notes: hostile.notes }] })
  await server.api('POST', `accounts/${account.id}/ips/10.6.6.6`, {})
  for (const path of ['', 'addresses?ip=10.6.6.6', `addresses?zone=${encodeURIComponent(hostile.zone)}`, `accounts?id=${account.id}`, 'history']) {
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.goto(server.console + path)
    await page.getByRole('button', { name: 'Log out' }).waitFor()
    await page.waitForLoadState('networkidle')
    await fits(page, `${path} with hostile names`)
    await page.setViewportSize({ width: 390, height: 800 })
    await examine(page, `${path} with hostile names, narrow`)
    assert.equal(await page.locator('img, script:not([src]), svg svg').count(), 0)
    assert.doesNotMatch(await page.title(), /owned/)
  }
  await page.goto(`${server.console}addresses?ip=10.6.6.6`)
  await page.getByRole('region', { name: 'Details' }).getByText(hostile.zone).waitFor()
  await page.setViewportSize({ width: 1280, height: 800 })
  await server.api('DELETE', 'ips/10.6.6.6')
})

test('narrow and dark', async () => {
  const other = await openAsAdmin(server, '', { viewport: { width: 360, height: 700 }, colorScheme: 'dark', hasTouch: true })
  for (const name of ['Pool', 'Addresses', 'Clusters', 'Health']) {
    await other.getByRole('link', { name }).click()
    await other.getByRole('heading', { name, exact: true }).waitFor()
    await other.waitForLoadState('networkidle')
    await examine(other, `${name}, narrow and dark`)
  }
  await other.goto(`${server.console}addresses`)
  await other.getByRole('button', { name: 'Filters' }).click()
  await other.getByLabel('Zone').selectOption('us-west')
  await other.getByRole('link', { name: '203.0.113.1', exact: true }).click()
  await other.getByText('Held by').waitFor()
  await examine(other, 'an address, narrow and dark')
  await other.done()
})

test('with the keyboard alone', async () => {
  const other = await open(server)
  const press = async (...keys) => {
    for (const key of keys) await other.keyboard.press(key)
  }
  /** Moves on with the tab key until something has the focus. */
  const tabTo = async (role, name) => {
    const target = other.getByRole(role, { name, exact: true }).first()
    await target.waitFor()
    for (let n = 0; n < 60; n++) {
      if (await target.evaluate((element) => element === document.activeElement)) return
      await press('Tab')
    }
    assert.fail(`the tab key does not lead to ${role} ${name}`)
  }
  await other.goto(server.console)
  await tabTo('textbox', 'API key')
  await other.keyboard.type(server.admin.api_key)
  await press('Enter')
  await tabTo('link', 'Addresses')
  await press('Enter')
  const ip = (await server.api('GET', 'ips/all?status=available&zone=us-west')).data[0].ip
  await tabTo('searchbox', 'Search')
  await other.keyboard.type(ip)
  await until('the row', async () => (await other.getByRole('row').count()) < 12 && other.getByRole('link', { name: ip, exact: true }).count())
  await tabTo('link', ip)
  await press('Enter')
  await tabTo('button', 'Assign')
  await press('Enter')
  const account = other.getByRole('dialog').getByLabel('Account')
  await until('the focus', () => account.evaluate((element) => element === document.activeElement))
  await other.keyboard.type('Cobalt')
  await until('one account', async () => (await other.getByRole('option').count()) === 1) // typed slowly there are others first
  await press('ArrowDown', 'Enter', 'Enter')
  await other.getByRole('dialog').waitFor({ state: 'detached' })
  assert.equal((await stored(ip)).assigned_to, accounts['Cobalt Contact Centers'].id)
  await tabTo('button', 'Release')
  await press('Enter')
  await other.getByRole('dialog').waitFor()
  await press('Escape')
  await other.getByRole('dialog').waitFor({ state: 'detached' })
  await tabTo('button', 'Release') // the focus is back
  await other.done()
})

test('an address that is cooling: its bar, its filter, and to assign it all the same', async () => {
  const other = await Server.start()
  other.run('sup', 'kapps_config', 'set_default', 'ips', 'cooling_s', '86400')
  const [former, next] = [other.account('Former', 'former.example.com'), other.account('Next', 'next.example.com')]
  await other.api('PUT', 'ips', { zone: 'z', host: 'h', ips: [1, 2, 3].map((n) => ({ ip: `10.0.0.${n}` })) })
  await other.api('POST', `accounts/${former.id}/ips`, { ips: ['10.0.0.1', '10.0.0.2'] })
  await other.api('DELETE', `accounts/${former.id}/ips/10.0.0.1`)
  const its = await openAsAdmin(other)
  await its.getByRole('img', { name: '1 assigned, 1 cooling, 1 available' }).waitFor()
  await examine(its, 'a pool with a cooling address')

  await its.getByRole('link', { name: 'Addresses' }).click()
  await its.getByRole('link', { name: '10.0.0.3', exact: true }).waitFor()
  await its.getByLabel('Status').selectOption('cooling')
  await its.getByRole('link', { name: '10.0.0.3', exact: true }).waitFor({ state: 'detached' })
  await its.getByRole('link', { name: '10.0.0.1', exact: true }).click()
  assert.equal(new URL(its.url()).searchParams.get('status'), 'cooling')
  await its.getByText('Cooling until').waitFor()
  await its.getByRole('button', { name: 'Assign' }).click()
  await its.getByRole('dialog').getByLabel('Account').fill('next.example.com')
  its.expected.push(/400/)
  await its.getByRole('button', { name: 'Assign' }).click()
  await its.getByRole('alert').filter({ hasText: '10.0.0.1' }).waitFor()
  assert.equal((await other.api('GET', 'ips/10.0.0.1')).data.assigned_to, undefined)
  await its.getByLabel('Assign it although it is cooling').check()
  await its.getByRole('button', { name: 'Assign' }).click()
  await its.getByRole('dialog').waitFor({ state: 'detached' })
  assert.equal((await other.api('GET', 'ips/10.0.0.1')).data.assigned_to, next.id)
  await its.done()
  await other.stop()
})

test('an account sees what is its own', async () => {
  const own = await open(server)
  await own.goto(server.console)
  await logInByKey(own, accounts['Acme Telecom'].api_key)
  await own.getByRole('heading', { name: 'Addresses' }).waitFor()
  await own.getByText(/\d\d addresses/).waitFor()
  await examine(own, "an account's addresses")
  await own.getByRole('button', { name: 'Allocate' }).click()
  await own.getByLabel('Quantity').fill('2')
  await own.getByRole('button', { name: 'Allocate' }).click()
  await own.getByText('2 addresses are assigned:').waitFor()
  const given = await own.getByRole('dialog').getByRole('listitem').first().textContent()
  await own.getByRole('button', { name: 'Close' }).click()
  await own.getByLabel('Search').fill(given)
  await own.getByRole('link', { name: given, exact: true }).click()
  await own.getByRole('button', { name: 'Release' }).click()
  await own.getByRole('button', { name: 'Release' }).click()
  await own.getByRole('button', { name: 'Assign' }).waitFor()
  assert.equal((await stored(given)).status, 'available')
  await own.done()
})

test('a server that is gone, and comes back', async () => {
  const other = await Server.start()
  await other.api('PUT', 'ips', { zone: 'z', host: 'h', ips: [{ ip: '10.0.0.1' }] })
  const its = await openAsAdmin(other, 'addresses?ip=10.0.0.1')
  its.expected.push(/Failed to load resource/, /ERR_/)
  await its.getByText('Held by').waitFor()
  await other.kill()
  await its.getByRole('button', { name: 'Delete' }).click()
  await its.getByRole('button', { name: 'Delete' }).click()
  await its.getByRole('dialog').getByText('The server does not respond').waitFor()
  await its.getByRole('button', { name: 'Cancel' }).click()
  await its.getByRole('link', { name: 'Pool' }).click()
  await its.getByRole('alert').getByText('The server does not respond').waitFor()
  await its.getByRole('button', { name: 'Try again' }).waitFor()
  await examine(its, 'a server that is gone')
  await its.done()
})

test('nothing else was said in the console, nor asked of another host', () => page.done())
