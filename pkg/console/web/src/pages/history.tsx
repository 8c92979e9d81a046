import { useEffect, useState } from 'preact/hooks'
import { type ApiError, type Event, get, seg } from '../api'
import { AccountName } from '../names'
import { go, href, useRoute } from '../route'
import type { User } from '../session'
import { fromGregorian, inputTime, localTime, plural, timeZone, toGregorian } from '../time'
import { AccountField, findAccount, named, split, TextField } from '../ui/field'
import { asError, Button, Empty, Failure, Loading, Notice, Text, useSettled, useTitle } from '../ui/parts'
import { TimeLine } from '../ui/events'
import { FilterBar } from './addresses'

const filterNames = ['from', 'to', 'account', 'ip', 'actor'] as const
type Filters = Record<(typeof filterNames)[number], string>

const seconds = (text: string) => {
  const date = new Date(text)
  return text && !Number.isNaN(date.getTime()) ? toGregorian(date) : undefined
}

export function History({ user }: { user: User }) {
  useTitle('History')
  const { query } = useRoute()
  const filters = Object.fromEntries(filterNames.map((n) => [n, query[n] ?? ''])) as Filters
  const set = (name: keyof Filters) => (value: string) => go(href('history', { ...filters, [name]: value }), true)
  const settled = useSettled(JSON.stringify(filters))
  const [events, setEvents] = useState<Event[]>()
  const [next, setNext] = useState<string>()
  const [error, setError] = useState<ApiError>()
  const [busy, setBusy] = useState(false)
  const [turn, setTurn] = useState(0)

  /** Reads one page after what is there. */
  const read = async (wanted: Filters, before: Event[], start: string | undefined, signal: AbortSignal) => {
    setBusy(true)
    setError(undefined)
    try {
      const [account, actor] = await Promise.all([wanted.account, wanted.actor].map(async (text, n) =>
        text && user.superduper ? (await findAccount(text).catch((cause) => {
          throw n ? rename(asError(cause)) : cause
        })).id : ''))
      const path = !user.superduper ? `accounts/${seg(user.accountId)}/ips/history`
        : wanted.ip ? `ips/${seg(wanted.ip.trim())}/history`
        : account ? `accounts/${seg(account)}/ips/history` : 'ips/history'
      const wantedHere = (e: Event) => (!actor || e.auth_account_id === actor) && (!account || e.from === account || e.to === account) &&
        (user.superduper || !wanted.ip || e.ip === wanted.ip.trim())
      // The API has no filter for all of these at once: pages are read until there is something to show.
      const found = [...before]
      for (let pages = 0; pages < 50 && (pages === 0 || start && found.length < before.length + 50); pages++) {
        const page = await get<Event[]>(path, {
          created_from: seconds(wanted.from), created_to: seconds(wanted.to), page_size: 100, start_key: start,
        }, signal)
        found.push(...page.data.filter(wantedHere))
        start = page.next_start_key
      }
      if (signal.aborted) return
      setEvents(found)
      setNext(start)
    } catch (cause) {
      if (!signal.aborted) setError(asError(cause))
    } finally {
      if (!signal.aborted) setBusy(false)
    }
  }
  useEffect(() => {
    const abort = new AbortController()
    setEvents(undefined)
    void read(JSON.parse(settled), [], undefined, abort.signal)
    return () => abort.abort()
  }, [settled, turn])

  const { at, rest } = split(error, {
    from: named('created_from'), to: named('created_to'), account: named('account'), actor: named('actor'), ip: (f) => f === 'ip' || f === 'ips',
  })
  return (
    <>
      <div class="head">
        <h1>History</h1>
        <Button onClick={() => setTurn((n) => n + 1)} busy={busy}>Refresh</Button>
      </div>
      {user.superduper && <WhoHad />}
      <FilterBar count={filterNames.filter((n) => filters[n]).length} search={
        <TextField label="Address" value={filters.ip} onInput={set('ip')} error={at['ip']} mono class="wide-field" />
      }>
        {user.superduper && <AccountField label="Account" value={filters.account} onInput={set('account')} error={at['account']} />}
        {user.superduper && <AccountField label="Actor" value={filters.actor} onInput={set('actor')} error={at['actor']} />}
        <TextField label="From" type="datetime-local" value={filters.from} onInput={set('from')} error={at['from']} />
        <TextField label="Until" type="datetime-local" value={filters.to} onInput={set('to')} error={at['to']} />
      </FilterBar>
      {rest && <Failure error={rest} retry={() => setTurn((n) => n + 1)} />}
      {!events && !error && <Loading />}
      {events && (
        <section class="card" aria-label="Events">
          <p class="muted num" role="status">
            {plural(events.length, 'event')}{next ? ' read, there are older ones' : ''} · times are {timeZone}
          </p>
          {events.length ? <TimeLine events={events} showAddress /> : <Empty>No event matches.</Empty>}
          {next && (
            <Button busy={busy} onClick={() => void read(filters, events, next, new AbortController().signal)}>Older events</Button>
          )}
        </section>
      )}
    </>
  )
}

/** A failure to find an account is one of the actor. */
function rename(error: ApiError): ApiError {
  for (const f of error.findings) f.field = 'actor'
  return error
}

/** Who had an address at a time. */
function WhoHad() {
  const [ip, setIp] = useState('')
  const [at, setAt] = useState(inputTime(new Date()))
  const [answer, setAnswer] = useState<{ ip: string; at: number; event: Event | undefined }>()
  const [error, setError] = useState<ApiError>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setError(undefined)
    setAnswer(undefined)
    const time = seconds(at)
    if (!ip.trim() || time === undefined) return
    setBusy(true)
    try {
      // Of the minute that is typed the end is meant.
      const { data } = await get<Event[]>(`ips/${seg(ip.trim())}/history`, { at: time + 59 })
      setAnswer({ ip: ip.trim(), at: time, event: data[0] })
    } catch (cause) {
      setError(asError(cause))
    } finally {
      setBusy(false)
    }
  }
  return (
    <section class="card" aria-label="Look-up">
      <h2>Who had an address</h2>
      <form class="row" onSubmit={submit} noValidate>
        <TextField label="IP" value={ip} onInput={setIp} mono />
        <TextField label="At" type="datetime-local" value={at} onInput={setAt} />
        <Button submit busy={busy}>Look up</Button>
      </form>
      {error && <Failure error={error} />}
      {answer && (
        <Notice>
          <span>
            <Text mono>{answer.ip}</Text>{' '}
            {answer.event?.to
              ? <>was assigned to <AccountName id={answer.event.to} /> at {localTime(fromGregorian(answer.at))}, since {localTime(fromGregorian(answer.event.at))}.</>
              : answer.event
              ? <>belonged to nobody at {localTime(fromGregorian(answer.at))}: it was {answer.event.action} at {localTime(fromGregorian(answer.event.at))}.</>
              : <>has no recorded event before {localTime(fromGregorian(answer.at))}.</>}
          </span>
        </Notice>
      )}
    </section>
  )
}
