import { useEffect, useState } from 'preact/hooks'
import { type AccountRow, type Address, type Event, get, seg } from '../api'
import { openAction, openAllocate } from '../actions'
import { learn } from '../names'
import { go, href, useRoute } from '../route'
import { count, plural } from '../time'
import { TextField } from '../ui/field'
import { Button, Empty, Failure, Link, Loading, Pair, Pairs, Text, useLoad, useSettled, useTitle } from '../ui/parts'
import { everyPage, Paged } from '../ui/paged'
import { Table } from '../ui/table'
import { TimeLine } from '../ui/events'
import { FilterBar, usePlaces } from './addresses'

export function Accounts() {
  useTitle('Accounts')
  const { query } = useRoute()
  const search = query['search'] ?? ''
  const settled = useSettled(search)
  const [turn, setTurn] = useState(0)
  const [rows, setRows] = useState<Paged<AccountRow>>()
  const [, again] = useState({})
  useEffect(() => {
    const list = new Paged<AccountRow>('ips/accounts', { search: settled.trim() }, (row) => {
      learn(row.id, row.name)
      return row
    })
    setRows(list)
    return () => list.close()
  }, [settled, turn])
  useEffect(() => {
    again({})
    return rows?.follow(() => again({}))
  }, [rows])
  const open = query['id']
  const url = (id?: string) => href('accounts', { search, id })
  return (
    <div class={open ? 'split open' : 'split'}>
      <div class="list">
        <div class="head"><h1>Accounts</h1></div>
        <FilterBar count={0} search={
          <TextField label="Search" type="search" value={search} placeholder="Name or realm" class="wide-field"
            onInput={(value) => go(href('accounts', { search: value, id: open }), true)} />
        }>{null}</FilterBar>
        <div class="bulk">
          <span class="muted num" role="status">
            {rows && !rows.error() && (rows.more() ? rows.length() ? `${count(rows.length())} read, more below` : 'Reading…' : plural(rows.length(), 'account'))}
          </span>
        </div>
        {rows && (
          <Table<AccountRow>
            label="List" rows={rows} id={(row) => row.id} current={open}
            columns={[
              { name: 'Name', class: 'cut', cell: (row) => <Link href={url(row.id)} current={row.id === open} class="cut"><Text>{row.name || row.id}</Text></Link> },
              { name: 'Realm', class: 'cut medium', cell: (row) => <Text>{row.realm}</Text> },
              { name: 'Id', class: 'cut large mono', cell: (row) => <Text mono>{row.id}</Text> },
              { name: 'Assigned', class: 'num narrow', cell: (row) => count(row.assigned) },
            ]}
            empty={<Empty>{search ? 'No account’s name or realm begins like this.' : 'There are no accounts.'}</Empty>}
          />
        )}
      </div>
      {open && <Details key={open} id={open} close={url()} changed={() => setTurn((n) => n + 1)} />}
    </div>
  )
}

/** Addresses of one account that are shown at once. */
const shownHeld = 2000

function Details({ id, close, changed }: { id: string; close: string; changed: () => void }) {
  const places = usePlaces()
  const about = useLoad(async (signal) => {
    const [rows, health] = await Promise.all([
      get<AccountRow[]>('ips/accounts', { search: id, page_size: 1 }, signal),
      get<{ settings?: { max_per_account?: number } | null }>('ips/health', undefined, signal)])
    const row = rows.data.find((a) => a.id === id)
    return row && { ...row, maximum: health.data.settings?.max_per_account }
  }, [id])
  const held = useLoad(async (signal) => {
    const list: Address[] = []
    for await (const page of everyPage<Address>('ips/all', { assigned_to: id }, signal)) {
      list.push(...page)
      if (list.length >= shownHeld) break
    }
    return list
  }, [id])
  const past = useLoad((signal) => get<Event[]>(`accounts/${seg(id)}/ips/history`, { page_size: 50 }, signal), [id, held.data])
  const [selected, setSelected] = useState<Set<string>>(new Set())
  const zones = new Map<string, Address[]>()
  for (const a of held.data ?? []) zones.set(a.zone, [...(zones.get(a.zone) ?? []), a])
  const chosen = (held.data ?? []).filter((a) => selected.has(a.id))
  const reload = () => {
    held.reload()
    about.reload()
    changed()
  }
  const act = (action: 'release' | 'move') => openAction({
    action, rows: chosen, zones: [], hosts: [],
    done: (succeeded) => {
      const done = new Set(succeeded.map((a) => a.id))
      setSelected((old) => new Set([...old].filter((x) => !done.has(x))))
      reload()
    },
  })
  const name = about.data?.name || id
  return (
    <section class="details" aria-label="Details" onKeyDown={(event) => {
      if (event.key === 'Escape' && !event.defaultPrevented) go(close)
    }}>
      <div class="head">
        <h2><Text>{name}</Text></h2>
        <Link href={close} class="button quiet" label="Close details">Close</Link>
      </div>
      {about.error && <Failure error={about.error} retry={about.reload} />}
      <div class="actions left">
        <Button kind="primary" onClick={() => openAllocate({ zones: places.zones, account: id, done: reload })}>Allocate</Button>
        <Button disabled={!chosen.length} onClick={() => act('release')}>Release</Button>
        <Button disabled={!chosen.length} onClick={() => act('move')}>Move</Button>
      </div>
      <Pairs>
        <Pair name="Realm"><Text>{about.data?.realm}</Text></Pair>
        <Pair name="Account id"><Text mono>{id}</Text></Pair>
        <Pair name="Holds"><span class="num">{about.data ? plural(about.data.assigned, 'address', 'addresses') : '…'}</span></Pair>
        <Pair name="Limit">{about.data?.maximum === undefined
          ? <span class="muted">none</span>
          : <span class="num">{plural(about.data.maximum, 'address', 'addresses')} by its own requests</span>}</Pair>
      </Pairs>
      <h3>Held, by zone</h3>
      {held.error && <Failure error={held.error} retry={held.reload} />}
      {!held.data && !held.error && <Loading />}
      {held.data?.length === 0 && <Empty>The account holds no address.</Empty>}
      {[...zones].map(([zone, list]) => (
        <fieldset class="held" key={zone}>
          <legend><Text>{zone}</Text> <span class="muted num">{count(list.length)}</span></legend>
          {list.slice(0, 200).map((a) => (
            <label key={a.id} class="held-row">
              <input type="checkbox" checked={selected.has(a.id)} aria-label={`Select ${a.ip}`} onChange={(event) => {
                const on = event.currentTarget.checked
                setSelected((old) => {
                  const next = new Set(old)
                  if (on) next.add(a.id)
                  else next.delete(a.id)
                  return next
                })
              }} />
              <Link href={href('addresses', { ip: a.id })} class="mono"><Text>{a.ip}</Text></Link>
            </label>
          ))}
          {list.length > 200 && <Link href={href('addresses', { account: id, zone })}>Show all {count(list.length)}</Link>}
        </fieldset>
      ))}
      {(held.data?.length ?? 0) >= shownHeld && <p><Link href={href('addresses', { account: id })}>Show all of them in the list</Link></p>}
      <h3>Time line</h3>
      {past.error && <Failure error={past.error} retry={past.reload} />}
      {past.data ? <TimeLine events={past.data.data} showAddress /> : !past.error && <Loading />}
      {past.data?.next_start_key && <p><Link href={href('history', { account: id })}>All events of this account</Link></p>}
    </section>
  )
}
