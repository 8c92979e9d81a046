// What the tests of the console stand on: a server of its own with data, a browser, and what every page has to be.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const program = process.env.JUNCTOR_PROGRAM
const browserPath = process.env.JUNCTOR_CHROMIUM
if (!program || !browserPath) throw new Error('run this as "go test ./pkg/console", which says what to test')

/** How long a condition may take to come true on a busy machine, in milliseconds. */
export const patience = Number(process.env.JUNCTOR_PATIENCE ?? 60_000)

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Waits for a condition. */
export async function until(what, condition) {
  for (const end = Date.now() + patience; Date.now() < end;) {
    const value = await condition()
    if (value) return value
    await new Promise((go) => setTimeout(go, 20))
  }
  assert.fail(`waited for ${what}`)
}

/** A running "junctor serve" on a store in memory. */
export class Server {
  static async start(...args) {
    const folder = mkdtempSync(join(tmpdir(), 'junctor-console-'))
    const ready = join(folder, 'ready.json')
    const server = new Server()
    server.folder = folder
    server.log = ''
    server.process = spawn(program, ['serve', '--store', 'memory:', '--listen', '127.0.0.1:0', '--ready-file', ready, ...args],
      { env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = new Promise((done) => server.process.on('exit', done))
    server.ended = ended
    for (const stream of [server.process.stdout, server.process.stderr]) stream.on('data', (text) => (server.log += text))
    server.url = await until('the server', () => {
      assert.equal(server.process.exitCode, null, server.log)
      try {
        return JSON.parse(readFileSync(ready)).url
      } catch {
        return undefined
      }
    })
    server.home = (await until('its folder', () => /"home":"([^"]*)"/.exec(server.log)))[1]
    server.admin = JSON.parse(readFileSync(join(server.home, 'admin.json')))
    return server
  }

  get console() {
    return this.url + '/console/'
  }

  /** Runs a command in the server. */
  run(...args) {
    return execFileSync(program, [...args, '--store', this.home], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  account(name, realm) {
    return JSON.parse(this.run('account', 'create', name, '--realm', realm, '--json'))
  }

  /** Sends a request with the administrator's token, or with another. */
  async api(method, path, data, token) {
    if (!token) token = this.token ??= await this.logIn(this.admin.api_key)
    const response = await fetch(`${this.url}/v2/${path}`, {
      method,
      headers: { 'X-Auth-Token': token, 'Content-Type': 'application/json' },
      ...(data !== undefined && { body: JSON.stringify({ data }) }),
    })
    const envelope = await response.json()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(envelope)}`)
    return envelope
  }

  async logIn(key) {
    const response = await fetch(`${this.url}/v2/api_auth`, {
      method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ data: { api_key: key } }),
    })
    assert.ok(response.ok)
    return (await response.json()).auth_token
  }

  async stop() {
    this.process.kill('SIGTERM')
    await this.ended
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Ends the process at once. */
  async kill() {
    this.process.kill('SIGKILL')
    await this.ended
  }
}

let browser

export const launch = async () => (browser ??= await chromium.launch({
  executablePath: browserPath,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-precise-memory-info'],
}))

export const closeBrowser = () => browser?.close()

/**
 * Opens a page in a fresh context. close fails if anything was written to its console that the test has not named, or if it
 * asked any other host.
 */
export async function open(server, options = {}) {
  const context = await (await launch()).newContext({ viewport: { width: 1280, height: 800 }, timezoneId: 'UTC', locale: 'en-GB', ...options })
  context.setDefaultTimeout(patience)
  const page = await context.newPage()
  const said = []
  const elsewhere = []
  page.expected = [] // what the console may say of requests that have to fail; tests add to it
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') said.push(message.text())
  })
  page.on('pageerror', (error) => said.push(String(error)))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.origin !== server.url && !['blob:', 'data:'].includes(url.protocol)) elsewhere.push(request.url())
    if (/auth_token|eyJ[\w-]+\.eyJ/.test(request.url())) elsewhere.push(`a token in ${request.url()}`)
  })
  page.check = () => {
    assert.deepEqual(said.filter((text) => !page.expected.some((e) => e.test(text))), [], 'said in the console')
    assert.deepEqual(elsewhere, [], 'requests elsewhere')
  }
  page.done = async () => {
    page.check()
    await context.close()
  }
  return page
}

/** Logs in as the administrator, by key, and returns at the page that path names. */
export async function openAsAdmin(server, path = '', options = {}) {
  const page = await open(server, options)
  await page.goto(server.console + path)
  await logInByKey(page, server.admin.api_key)
  return page
}

export async function logInByKey(page, key) {
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('button', { name: 'Log out' }).waitFor()
}

/** Fails on what axe-core finds, and on a page that is wider than its window. */
export async function examine(page, where) {
  await until('the page to be still', () => page.evaluate(() => !document.querySelector('.loading')))
  await page.evaluate(axe)
  const found = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }))
  const text = found.violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.slice(0, 3).map((n) => `  ${n.html}\n  ${n.failureSummary}`).join('\n')}`)
  assert.deepEqual(text, [], `axe-core on ${where}`)
  await fits(page, where)
}

/** Fails on a page that is wider than its window. */
export async function fits(page, where) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${where} is ${wide} pixels wider than its window`)
}
