import assert from 'node:assert/strict'
import { createServer, request as forward } from 'node:http'
import { after, before, test } from 'node:test'
import { examine, logInByKey, open, openAsAdmin, Server, until } from './harness.mjs'

let server
let account

before(async () => {
  server = await Server.start()
  account = server.account('Acme Telecom', 'acme.example.com')
  server.run('user', 'create', account.id, 'wile', '--password', 'correct horse')
})
after(() => server.stop())

test('log in and out', async (t) => {
  await t.test('with an API key, and go on after a reload', async () => {
    const page = await open(server)
    await page.goto(server.console)
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    await examine(page, 'the log-in page')
    await logInByKey(page, server.admin.api_key)
    await page.getByRole('heading', { name: 'Pool' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Pool' }).waitFor()
    assert.equal(await page.evaluate(() => localStorage.length), 0)
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    assert.equal(await page.evaluate(() => sessionStorage.length), 0)
    await page.done()
  })

  for (const named of ['Acme Telecom', 'acme.example.com']) {
    await t.test(`with user, password and ${named}`, async () => {
      const page = await open(server)
      await page.goto(server.console)
      await page.getByLabel('User name').fill('wile')
      await page.getByLabel('Password').fill('correct horse')
      await page.getByLabel('Account').fill(named)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Addresses' }).waitFor()
      // An account's own user sees its own account.
      assert.deepEqual(await page.getByRole('navigation').getByRole('link').allTextContents(), ['Addresses', 'History'])
      await examine(page, "an account's own page")
      await page.done()
    })
  }

  await t.test('with a wrong password, or nothing', async () => {
    const page = await open(server)
    page.expected.push(/401/)
    await page.goto(server.console)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Enter the user name').waitFor()
    await page.getByLabel('User name').fill('wile')
    await page.getByLabel('Password').fill('wrong')
    await page.getByLabel('Account').fill('Acme Telecom')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').getByText('does not know these credentials').waitFor()
    assert.equal(await page.getByLabel('User name').inputValue(), 'wile')
    await examine(page, 'a refused log-in')
    page.expected.push(/400/)
    await page.getByLabel('API key').fill('too short for a key')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').getByText('does not know this API key').waitFor()
    await page.done()
  })

  await t.test('a token is renewed before it expires', async () => {
    const page = await open(server)
    await page.clock.install()
    await page.goto(server.console)
    await logInByKey(page, server.admin.api_key)
    const renewed = page.waitForResponse((r) => r.url().endsWith('/v2/auth') && r.request().method() === 'PUT')
    await page.clock.fastForward('56:00')
    assert.equal((await renewed).ok(), true)
    await page.getByRole('button', { name: 'Log out' }).waitFor()
    await page.done()
  })

  await t.test('a token that expired ends the session, and the page is there again after the log-in', async () => {
    const page = await openAsAdmin(server, 'clusters')
    page.expected.push(/401/)
    await page.getByRole('heading', { name: 'Clusters' }).waitFor()
    await page.evaluate(() => {
      const [head, claims, signature] = sessionStorage.getItem('junctor.token').split('.')
      sessionStorage.setItem('junctor.token', [head, claims, signature.split('').reverse().join('')].join('.'))
    })
    await page.reload()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    assert.equal(await page.evaluate(() => sessionStorage.length), 0)
    await logInByKey(page, server.admin.api_key)
    await page.getByRole('heading', { name: 'Clusters' }).waitFor()
    await page.done()
  })
})

test('without log-ins it says where tokens come from, and takes one', async () => {
  const other = await Server.start('--issue-tokens=false', '--tour')
  const token = /TOKEN=(\S+)/.exec(await until('the token', () => /TOKEN=\S+/.exec(other.log)?.[0]))[1]
  const page = await open(other)
  await page.goto(other.console)
  await page.getByText('does not issue tokens').waitFor()
  await examine(page, 'the log-in page without log-ins')
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Pool' }).waitFor()
  await page.done()
  await other.stop()
})

test('behind a proxy that removes a prefix', async () => {
  const target = new URL(server.url)
  const proxy = createServer((request, response) => {
    if (!request.url.startsWith('/ops/junctor/')) return response.writeHead(404).end()
    const on = forward({ host: target.hostname, port: target.port, path: request.url.slice('/ops/junctor'.length),
      method: request.method, headers: request.headers }, (from) => {
      response.writeHead(from.statusCode, from.headers)
      from.pipe(response)
    })
    request.pipe(on)
  })
  await new Promise((listening) => proxy.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${proxy.address().port}`
  const page = await open({ url })
  await page.goto(`${url}/ops/junctor/`) // leads to the console
  await logInByKey(page, server.admin.api_key)
  assert.equal(page.url(), `${url}/ops/junctor/console/`)
  await page.getByRole('link', { name: 'Addresses' }).click()
  await page.reload()
  await page.getByRole('heading', { name: 'Addresses' }).waitFor()
  assert.equal(page.url(), `${url}/ops/junctor/console/addresses`)
  await page.goto(`${url}/ops/junctor/console`)
  await page.getByRole('heading', { name: 'Pool' }).waitFor()
  await page.done()
  proxy.closeAllConnections()
  proxy.close()
})
