// The client of the API: requests in the envelope, failures as ApiError, and the token that is sent with them.

/** The API of the server that this page is from; the page is one segment below it, also behind a prefix. */
const base = new URL('../v2/', location.href)

/** One thing that is wrong with one field, in the server's words. */
export interface Finding {
  field: string
  code: string
  message: string
}

export interface Envelope<T> {
  data: T
  revision?: string
  auth_token?: string
  next_start_key?: string
  page_size?: number
}

/** A request that did not succeed. Status 0 means that no response came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly findings: Finding[] = [],
    readonly data: unknown = undefined,
  ) {
    super(message)
  }
}

export type Query = Record<string, string | number | boolean | undefined>

export interface Call {
  query?: Query
  data?: unknown
  ifMatch?: string | undefined
  signal?: AbortSignal | undefined
  token?: string // instead of that of the session
}

/** What the session gives the client, and hears from it. */
export const session = {
  token: '',
  /** A request with this token was refused with 401. */
  refused: (_token: string) => {},
}

export async function call<T>(method: string, path: string, options: Call = {}): Promise<Envelope<T>> {
  const url = new URL(path, base)
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value))
  }
  const headers: Record<string, string> = { Accept: 'application/json' }
  const token = options.token ?? session.token
  if (token) headers['X-Auth-Token'] = token
  if (options.ifMatch) headers['If-Match'] = `"${options.ifMatch}"`
  const request: RequestInit = { method, headers, cache: 'no-store', credentials: 'same-origin', redirect: 'error' }
  if (options.signal) request.signal = options.signal
  if (options.data !== undefined) {
    headers['Content-Type'] = 'application/json'
    request.body = JSON.stringify({ data: options.data })
  }
  let response: Response
  try {
    response = await fetch(url, request)
  } catch (cause) {
    if (options.signal?.aborted) throw cause
    throw new ApiError(0, 'The server does not respond.')
  }
  let envelope: (Envelope<T> & { message?: string; error?: string }) | undefined
  try {
    envelope = await response.json()
  } catch {
    if (options.signal?.aborted) throw new ApiError(0, 'The request was cancelled.')
  }
  if (!envelope || typeof envelope !== 'object' || !('status' in envelope)) {
    throw new ApiError(response.ok ? 0 : response.status, `The server's response (${response.status}) is not from junctor.`)
  }
  if (response.ok) return envelope
  if (response.status === 401 && token && token === session.token) session.refused(token)
  throw failure(response, envelope)
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  call<T>('GET', path, { ...(query && { query }), signal })

/** Escapes one segment of a path. */
export const seg = encodeURIComponent

const explanations: Record<string, string> = {
  too_many_requests: 'Too many failed attempts.',
  service_unavailable: 'The server is at its limit.',
  datastore_unreachable: 'The store of the server does not respond.',
  datastore_partial: 'Not all nodes of the store have confirmed the write. Read the address again before you repeat.',
  datastore_conflict: 'Somebody else was first.',
  precondition_failed: 'Somebody else has changed it meanwhile.',
  billing_issue: 'Billing refuses.',
  accept_charges: 'Billing asks to accept charges.',
}

function failure(response: Response, envelope: { message?: string; data?: unknown }): ApiError {
  const message = String(envelope.message ?? response.status)
  const found = findings(envelope.data)
  const detail = envelope.data as Record<string, unknown> | undefined
  let text = explanations[message] ? `${explanations[message]} (${response.status} ${message})` : `${response.status} ${message}`
  if (!found.length && detail && typeof detail['message'] === 'string' && detail['message'] !== message) {
    text += `: ${detail['message']}`
  }
  if (message === 'not_enough_ips' && detail) {
    const d = (typeof detail['available'] === 'number' ? detail : undefined) as { available: number; quantity: number } | undefined
    if (d) text = `Only ${d.available} of ${d.quantity} addresses are available. (409 not_enough_ips)`
  }
  const wait = response.headers.get('Retry-After')
  if (wait) text += ` Try again in ${wait} s.`
  return new ApiError(response.status, text, found, envelope.data)
}

/** Reads {"path.to.field": {"code": {"message": …}}}; the server escapes the dots of names that have some. */
function findings(data: unknown): Finding[] {
  const found: Finding[] = []
  if (!data || typeof data !== 'object' || Array.isArray(data)) return found
  for (const [path, codes] of Object.entries(data)) {
    if (!codes || typeof codes !== 'object' || Array.isArray(codes)) continue
    for (const [code, detail] of Object.entries(codes)) {
      const message = (detail as { message?: unknown } | null)?.message
      if (typeof message !== 'string') continue
      let field = path
      try {
        field = decodeURIComponent(path)
      } catch {
        // not escaped
      }
      found.push({ field, code, message })
    }
  }
  return found
}

export interface Address {
  id: string
  ip: string
  zone: string
  host: string
  status: string
  type: string
  assigned_to?: string
  account_name?: string
  notes?: string
  cooling_until?: number
}

export interface Item {
  ip: string
  zone: string
}

export interface AccountRow {
  id: string
  name: string
  realm: string
  assigned: number
}

export interface Event {
  id: string
  at: number
  action: string
  ip: string
  zone?: string
  from?: string | null
  to?: string | null
  auth_account_id?: string
  auth_user_id?: string
  request_id?: string
  client?: string
  source?: string
}

export interface Counts {
  available: number
  assigned: number
  cooling: number
}

export interface Summary {
  total: Counts
  zones: Record<string, Counts & { hosts: Record<string, Counts> }>
  days?: { day: string; assigned: number }[]
}

export interface Cluster {
  id: string
  owner: string
  name: string
  randomize_routing?: boolean
  ips?: { inbound: Record<string, string[]>; outbound: Record<string, string[]> }
}
