import type { ComponentChildren } from 'preact'
import { get } from '../api'
import { count, fromGregorian, localTime } from '../time'
import { Button, Failure, Loading, Pair, Pairs, Text, useLoad, useTitle } from '../ui/parts'

interface Queue {
  waiting?: number
  oldest_s?: number
  dropped?: number
  [name: string]: unknown
}

interface State {
  store: { kind: string; status: string; reason?: string }
  feed: { loaded: boolean; age_s: number; addresses: number; reads_from_store: number }
  full_pass?: { began?: number; age_s?: number } | null
  copies_repaired: Record<string, number>
  settings?: { cooling_s: number; max_per_account?: number } | null
  notices?: Queue | null
  billing?: Record<string, Queue> | null
  version: string
}

export function Health() {
  useTitle('Health')
  const { data, error, loading, reload } = useLoad((signal) => get<State>('ips/health', undefined, signal), [])
  return (
    <>
      <div class="head">
        <h1>Health</h1>
        <Button onClick={reload} busy={loading}>Refresh</Button>
      </div>
      {error && <Failure error={error} retry={reload} />}
      {data ? <Cards state={data.data} /> : !error && <Loading />}
    </>
  )
}

/** 4 s, 3 min, 2 h. */
function age(seconds: number | undefined): string {
  if (seconds === undefined) return '–'
  if (seconds < 90) return `${Math.round(seconds * 10) / 10} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return `${count(Math.round(seconds / 3600))} h`
}

const words = (name: string) => name.replaceAll('_', ' ').replace(/ s$/, ', s').replace(/^./, (c) => c.toUpperCase())

function Good({ good, children }: { good: boolean; children: ComponentChildren }) {
  return <span class={good ? 'state good' : 'state bad'}><span aria-hidden="true">{good ? '●' : '▲'}</span> {children}</span>
}

function Cards({ state }: { state: State }) {
  const repaired = Object.values(state.copies_repaired).reduce((a, b) => a + b, 0)
  const billing = Object.entries(state.billing ?? {})
  return (
    <div class="cards">
      <section class="card" aria-labelledby="store">
        <h2 id="store">Store</h2>
        <Pairs>
          <Pair name="Writes"><Good good={state.store.status === 'ok'}><Text>{state.store.status === 'ok' ? 'would succeed' : `would fail: ${state.store.reason ?? state.store.status}`}</Text></Good></Pair>
          <Pair name="Kind"><Text>{state.store.kind}</Text></Pair>
          <Pair name="Version"><Text mono>{state.version}</Text></Pair>
        </Pairs>
      </section>
      <section class="card" aria-labelledby="feed">
        <h2 id="feed">Memory</h2>
        <Pairs>
          <Pair name="Feed age"><Good good={state.feed.loaded && state.feed.age_s < 10}><span class="num">{age(state.feed.age_s)}</span></Good></Pair>
          <Pair name="Addresses"><span class="num">{count(state.feed.addresses)}</span></Pair>
          {state.settings && <Pair name="Cooling">{state.settings.cooling_s ? <span class="num">{age(state.settings.cooling_s)}</span> : <span class="muted">off</span>}</Pair>}
          {state.settings && <Pair name="Limit of an account">{state.settings.max_per_account === undefined ? <span class="muted">none</span> : <span class="num">{count(state.settings.max_per_account)}</span>}</Pair>}
          <Pair name="Reads from the store"><span class="num">{count(state.feed.reads_from_store)}</span></Pair>
        </Pairs>
      </section>
      <section class="card" aria-labelledby="copies">
        <h2 id="copies">Copies in accounts</h2>
        <Pairs>
          <Pair name="Last full pass">{state.full_pass?.began === undefined
            ? <span class="muted">none yet</span>
            : <span class="num">{age(state.full_pass.age_s)} ago, at {localTime(fromGregorian(state.full_pass.began))}</span>}</Pair>
          <Pair name="Repaired"><Good good={repaired === 0}><span class="num">{count(repaired)}</span></Good></Pair>
          {Object.entries(state.copies_repaired).map(([name, n]) => <Pair key={name} name={words(name)}><span class="num">{count(n)}</span></Pair>)}
        </Pairs>
      </section>
      <section class="card" aria-labelledby="waiting">
        <h2 id="waiting">Waiting to be sent</h2>
        <Waiting name="Change notices" queue={state.notices} off="no broker is configured" />
        {billing.length === 0 && <Waiting name="Billing calls" queue={undefined} off="no billing is configured" />}
        {billing.map(([name, queue]) => <Waiting key={name} name={`Billing calls: ${name}`} queue={queue} off="" />)}
      </section>
    </div>
  )
}

function Waiting({ name, queue, off }: { name: string; queue: Queue | null | undefined; off: string }) {
  return (
    <>
      <h3>{name}</h3>
      {!queue ? <p class="muted">{off}</p> : (
        <Pairs>
          {Object.entries(queue).map(([key, value]) => (
            <Pair key={key} name={words(key)}><span class="num"><Text>{typeof value === 'number' ? count(value) : String(value)}</Text></span></Pair>
          ))}
        </Pairs>
      )}
    </>
  )
}
