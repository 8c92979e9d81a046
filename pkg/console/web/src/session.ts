// The session: a token in memory and in this tab's sessionStorage, renewed before it expires, forgotten on logout and on 401.
import { md5 } from 'js-md5'
import { ApiError, call, session as client } from './api'
import { signal } from './signal'

const storageKey = 'junctor.token'

/** Whether users and API keys can log in at this server; the page says so, since it comes from the server. */
export const issuesTokens = document.documentElement.dataset['issueTokens'] !== 'false'

export interface User {
  accountId: string
  accountName: string
  userId: string
  /** Everything is shown to a superduper admin, its own account to another. */
  superduper: boolean
}

export type Session =
  | { state: 'out'; reason?: string }
  | { state: 'starting' }
  | { state: 'failed'; error: ApiError }
  | { state: 'in'; user: User }

export const current = signal<Session>({ state: 'out' })

/** Returns when a token expires, in milliseconds since 1970, or 0 if it does not say. */
function expiry(token: string): number {
  try {
    const text = atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))
    const exp: unknown = JSON.parse(text).exp
    return typeof exp === 'number' ? exp * 1000 : 0
  } catch {
    return 0
  }
}

let timer: ReturnType<typeof setTimeout> | undefined

function hold(token: string) {
  client.token = token
  sessionStorage.setItem(storageKey, token)
  plan(token)
}

/** Plans the renewal of a token: when three quarters of what is left have passed, or five minutes before the end. */
function plan(token: string, soonest = 1000) {
  clearTimeout(timer)
  const end = expiry(token)
  if (!end) return
  const left = end - Date.now()
  const wait = Math.max(soonest, Math.min(left - 5 * 60_000, 2 ** 31 - 1), Math.min(left * 0.75, 10 * 60_000))
  timer = setTimeout(() => void renew(token), wait)
}

async function renew(token: string) {
  if (client.token !== token) return
  if (expiry(token) <= Date.now()) return forget('The session has expired. Log in again.')
  if (!issuesTokens) return plan(token, 10_000)
  try {
    const renewed = await call<unknown>('PUT', 'auth', { data: { action: 'refresh_token' }, token })
    if (client.token === token && renewed.auth_token) hold(renewed.auth_token)
  } catch (error) {
    if (client.token === token && !(error instanceof ApiError && error.status === 401)) plan(token, 15_000)
  }
}

// Timers stand still while a computer sleeps.
document.addEventListener('visibilitychange', () => {
  const token = client.token
  if (document.visibilityState === 'visible' && token && expiry(token)) {
    if (expiry(token) <= Date.now()) forget('The session has expired. Log in again.')
    else plan(token)
  }
})

client.refused = () => forget('The server does not accept the token any more. Log in again.')

/** Forgets the token. */
export function forget(reason?: string) {
  clearTimeout(timer)
  client.token = ''
  sessionStorage.removeItem(storageKey)
  current.set(reason ? { state: 'out', reason } : { state: 'out' })
}

export interface Credentials {
  userName: string
  password: string
  account: string
  apiKey: string
  token: string
}

/** Logs in, and returns once it is known who it is. */
export async function logIn(c: Credentials) {
  const token = c.token ? c.token.trim() : await obtain(c)
  await begin(token)
}

/** Gets a token the way Monster UI does: with the MD5 of USER:PASSWORD, or with an API key. */
async function obtain(c: Credentials): Promise<string> {
  if (c.apiKey) {
    const granted = await call<unknown>('PUT', 'api_auth', { data: { api_key: c.apiKey.trim() }, token: '' })
    return granted.auth_token ?? ''
  }
  const credentials = md5(`${c.userName}:${c.password}`)
  const named = c.account.trim()
  // A name may have dots as well as a realm. The server looks for the realm first, and then for the name.
  const data = { credentials, account_name: named, ...(named.includes('.') && { account_realm: named }) }
  const granted = await call<unknown>('PUT', 'user_auth', { data, token: '' })
  return granted.auth_token ?? ''
}

async function begin(token: string) {
  const about = await call<Record<string, unknown>>('GET', 'token_auth', { token })
  const text = (key: string) => (typeof about.data[key] === 'string' ? (about.data[key] as string) : '')
  hold(token)
  current.set({
    state: 'in',
    user: {
      accountId: text('account_id'),
      accountName: text('account_name') || text('account_id'),
      userId: text('owner_id'),
      superduper: about.data['superduper_admin'] === true,
    },
  })
}

/** Goes on with the session of this tab, if there is one. */
export async function resume() {
  const token = sessionStorage.getItem(storageKey)
  if (!token) return
  const end = expiry(token)
  if (end && end <= Date.now()) return forget('The session has expired. Log in again.')
  current.set({ state: 'starting' })
  client.token = token // a 401 forgets it
  try {
    await begin(token)
  } catch (error) {
    if (client.token !== token) return
    if (error instanceof ApiError && error.status === 401) return forget('The session has expired. Log in again.')
    current.set({ state: 'failed', error: error as ApiError })
  }
}
