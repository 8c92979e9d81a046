import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Address, type Event, get, seg } from '../api'
import { type Action, actionNames, applies, openAction, openAllocate } from '../actions'
import { csvLine, save } from '../csv'
import { AccountName, learn } from '../names'
import { go, href, useRoute } from '../route'
import { count, fromGregorian, localTime, plural } from '../time'
import { AccountField, findAccount, SelectField, split, TextField } from '../ui/field'
import { asError, Button, Empty, Failure, Link, Loading, Notice, Pair, Pairs, Status, Text, useLoad, useSettled, useTitle } from '../ui/parts'
import { everyPage, Paged } from '../ui/paged'
import { Table } from '../ui/table'
import { say } from '../ui/toast'
import { TimeLine } from '../ui/events'

const filterNames = ['search', 'zone', 'host', 'status', 'account', 'cidr'] as const
type Filters = Record<(typeof filterNames)[number], string>

const isId = (text: string) => /^[0-9a-f]{32}$/.test(text)

/** The zones and hosts of the pool, for filters and suggestions. */
export function usePlaces() {
  const { data, reload } = useLoad(async (signal) => {
    const [zones, hosts] = await Promise.all([
      get<string[]>('ips/zones', undefined, signal), get<string[]>('ips/hosts', undefined, signal)])
    return { zones: zones.data, hosts: hosts.data }
  }, [])
  return { zones: data?.zones ?? [], hosts: data?.hosts ?? [], reload }
}

export function Addresses() {
  useTitle('Addresses')
  const { query } = useRoute()
  const filters = Object.fromEntries(filterNames.map((n) => [n, query[n] ?? ''])) as Filters
  const set = (name: keyof Filters) => (value: string) => go(href('addresses', { ...filters, [name]: value }), true)
  const places = usePlaces()
  const settled = useSettled(JSON.stringify(filters))
  const [turn, setTurn] = useState(0)
  const [rows, setRows] = useState<Paged<Address>>()
  const [accountError, setAccountError] = useState<string>()
  const asked = useRef<Record<string, string>>({})

  useEffect(() => {
    let gone = false
    let list: Paged<Address> | undefined
    const wanted = JSON.parse(settled) as Filters
    const { account, ...rest } = wanted
    setAccountError(undefined)
    const open = (id: string) => {
      if (gone) return
      asked.current = { ...rest, assigned_to: id, ...(rest.status === 'cooling' && { status: '', cooling: 'true' }) }
      list = new Paged<Address>('ips/all', asked.current, (row) => {
        learn(row.assigned_to, row.account_name)
        return row
      })
      setRows(list)
    }
    if (!account || isId(account)) open(account)
    else findAccount(account).then((found) => open(found.id), (error) => gone || setAccountError(asError(error).message))
    return () => {
      gone = true
      list?.close()
    }
  }, [settled, turn])

  const [selected, setSelected] = useState<Map<string, Address>>(new Map())
  const [, again] = useState({})
  useEffect(() => {
    again({})
    return rows?.follow(() => again({}))
  }, [rows])

  const { at, rest } = split(rows?.error(), {
    search: (f) => f === 'search', zone: (f) => f === 'zone', host: (f) => f === 'host', status: (f) => f === 'status',
    cidr: (f) => f === 'cidr', account: (f) => f === 'assigned_to',
  })
  const atField = Object.keys(at).length > 0 && !rest

  const select = (row: Address, on: boolean) => setSelected((old) => {
    const next = new Map(old)
    if (on) next.set(row.id, row)
    else next.delete(row.id)
    return next
  })
  const selectAll = (on: boolean) => setSelected(() => {
    const next = new Map<string, Address>()
    if (on) rows?.each((row) => next.set(row.id, row))
    return next
  })
  const reload = () => {
    setTurn((n) => n + 1)
    places.reload()
  }

  const act = (action: Action) => {
    const chosen = [...selected.values()].filter((row) => applies(action, row))
    openAction({
      action, rows: chosen, zones: places.zones, hosts: places.hosts,
      done: (succeeded, failed) => {
        if (chosen.length > 1) {
          const left = new Set(failed.map((f) => f.row.id))
          const done = new Set(succeeded.map((row) => row.id))
          setSelected((old) => new Map([...old].filter(([id]) => left.has(id) || !done.has(id))))
        } else if (succeeded.length) setSelected(new Map())
        reload()
      },
    })
  }

  const url = (ip?: string) => href('addresses', { ...filters, ip })
  const filtered = filterNames.some((n) => filters[n])
  const open = query['ip']
  const hidden = filterNames.filter((n) => n !== 'search' && filters[n]).length
  return (
    <div class={open ? 'split open' : 'split'}>
      <div class="list">
        <div class="head">
          <h1>Addresses</h1>
          <Download query={asked.current} ready={!!rows && !rows.error()} />
          {!open && (
            <>
              <Button onClick={() => openAllocate({ zones: places.zones, done: reload })}>Allocate</Button>
              <Button kind="primary" onClick={() => go(href('import'))}>Import</Button>
            </>
          )}
        </div>
        <FilterBar count={hidden} search={
          <TextField label="Search" type="search" value={filters.search} onInput={set('search')} error={at['search']}
            placeholder="Address, host or account" class="wide-field" />
        }>
          <SelectField label="Zone" value={filters.zone} onInput={set('zone')} error={at['zone']}
            options={[{ value: '', text: 'All' }, ...places.zones.map((z) => ({ value: z, text: z }))]} />
          <TextField label="Host" value={filters.host} onInput={set('host')} suggestions={places.hosts} error={at['host']} />
          <SelectField label="Status" value={filters.status} onInput={set('status')} error={at['status']} options={[
            { value: '', text: 'All' }, { value: 'available', text: 'available' }, { value: 'assigned', text: 'assigned' },
            { value: 'cooling', text: 'cooling' }]} />
          <AccountField label="Account" value={filters.account} onInput={set('account')} error={accountError ?? at['account']} />
          <TextField label="CIDR" value={filters.cidr} onInput={set('cidr')} error={at['cidr']} mono placeholder="192.0.2.0/24" />
        </FilterBar>
        <div class="bulk">
          {selected.size > 0 && !open
            ? (
              <>
                <span class="num">{plural(selected.size, 'address', 'addresses')} selected</span>
                {(Object.keys(actionNames) as Action[]).map((action) => (
                  <Button key={action} disabled={![...selected.values()].some((row) => applies(action, row))}
                    onClick={() => act(action)} kind={action === 'delete' ? 'danger' : 'plain'}>
                    {actionNames[action]}
                  </Button>
                ))}
                <Button kind="quiet" onClick={() => setSelected(new Map())}>Clear selection</Button>
              </>
            )
            : (
              <span class="muted num" role="status">
                {rows && !rows.error() && (rows.more()
                  ? rows.length() ? `${count(rows.length())} read, more below` : 'Reading…'
                  : plural(rows.length(), 'address', 'addresses'))}
              </span>
            )}
          {filtered && selected.size === 0 && (
            <Button kind="quiet" onClick={() => go(href('addresses', { ip: open }), true)}>Clear filters</Button>
          )}
        </div>
        {rows && !accountError && !atField && (
          <Table<Address>
            label="List of addresses" rows={rows} id={(row) => row.id} current={open}
            selection={{
              has: (row) => selected.has(row.id), toggle: select, all: selectAll,
              state: selected.size === 0 ? 'none' : selected.size === rows.length() ? 'all' : 'some',
              label: (row) => `Select ${row.ip}`,
            }}
            columns={[
              { name: 'IP', class: 'ip', cell: (row) => <Link href={url(row.id)} class="mono cut" current={row.id === open}><Text>{row.ip}</Text></Link> },
              { name: 'Status', class: 'narrow', cell: (row) => <Status status={row.status} cooling={row.cooling_until} /> },
              { name: 'Zone', class: 'cut medium', cell: (row) => <Text>{row.zone}</Text> },
              { name: 'Host', class: 'cut large', cell: (row) => <Text>{row.host}</Text> },
              { name: 'Account', class: 'cut', cell: (row) => row.assigned_to && <AccountName id={row.assigned_to} name={row.account_name} /> },
              { name: 'Notes', class: 'cut huge', cell: (row) => <Text>{row.notes}</Text> },
            ]}
            empty={filtered
              ? <Empty>No address matches the filters.</Empty>
              : <Empty><p>The pool is empty.</p><p class="muted">Use the button above to add addresses.</p></Empty>}
          />
        )}
      </div>
      {open && (
        <Details key={open} id={open} close={url()} zones={places.zones} hosts={places.hosts}
          changed={(row) => {
            if (row) rows?.replace((r) => r.id === row.id, row)
            else reload()
          }}
          deleted={() => {
            go(url(), true)
            reload()
          }} />
      )}
    </div>
  )
}

/** Filters, which are folded on a narrow screen. */
export function FilterBar(props: { count: number; search: ComponentChildren; children: ComponentChildren }) {
  const [shown, setShown] = useState(props.count > 0)
  return (
    <div class={shown ? 'filters shown' : 'filters'} role="search">
      {props.search}
      <span class="fold">
        <Button onClick={() => setShown(!shown)} expanded={shown}>Filters{props.count > 0 && ` (${props.count})`}</Button>
      </span>
      {props.children}
    </div>
  )
}

function Download({ query, ready }: { query: Record<string, string>; ready: boolean }) {
  const [read, setRead] = useState<number>()
  const abort = useRef<AbortController | undefined>(undefined)
  useEffect(() => () => abort.current?.abort(), [])
  const start = async () => {
    abort.current = new AbortController()
    setRead(0)
    try {
      const parts = [csvLine(['ip', 'zone', 'host', 'status', 'assigned_to', 'account_name', 'notes', 'cooling_until'])]
      let n = 0
      for await (const page of everyPage<Address>('ips/all', query, abort.current.signal)) {
        parts.push(page.map((a) => csvLine([a.ip, a.zone, a.host, a.status, a.assigned_to, a.account_name, a.notes,
          a.cooling_until === undefined ? '' : fromGregorian(a.cooling_until).toISOString()])).join(''))
        setRead(n += page.length)
      }
      save('addresses.csv', parts)
      say(`${plural(n, 'address', 'addresses')} saved as CSV.`)
    } catch (error) {
      if (!abort.current.signal.aborted) say(`The download failed: ${asError(error).message}`)
    }
    setRead(undefined)
  }
  return <Button onClick={start} disabled={!ready} busy={read !== undefined}>{read === undefined ? 'Download CSV' : `${count(read)} read`}</Button>
}

/** One address: its document, its holder, what can be done, and its past. */
function Details(props: {
  id: string
  close: string
  zones: string[]
  hosts: string[]
  changed: (row: Address | undefined) => void
  deleted: () => void
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  const { data, error, reload } = useLoad(async (signal) => {
    const one = await get<Address>(`ips/${seg(props.id)}`, undefined, signal)
    const bits = one.data.ip.includes(':') ? 128 : 32
    const listed = await get<Address[]>('ips/all', { cidr: `${one.data.ip}/${bits}`, page_size: 1 }, signal)
    return { address: { ...one.data, ...listed.data.find((row) => row.id === one.data.id) }, revision: one.revision }
  }, [props.id])
  const past = useLoad((signal) => get<Event[]>(`ips/${seg(props.id)}/history`, { page_size: 50 }, signal), [props.id, data])
  const last = useRef(data)
  useEffect(() => {
    if (data && last.current && data !== last.current) props.changed(data.address)
    last.current = data
  }, [data])
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])

  const address = data?.address
  const act = (action: Action) => address && openAction({
    action, rows: [address], revision: data.revision, zones: props.zones, hosts: props.hosts,
    done: (succeeded) => {
      if (action === 'delete' && succeeded.length) props.deleted()
      else reload() // also after a failure: somebody else may have changed it
    },
  })
  return (
    <section class="details" aria-label="Details" onKeyDown={(event) => {
      if (event.key === 'Escape' && !event.defaultPrevented) go(props.close)
    }}>
      <div class="head">
        <h2 ref={heading} tabIndex={-1}><Text mono>{address?.ip ?? props.id}</Text></h2>
        <Link href={props.close} class="button quiet" label="Close details">Close</Link>
      </div>
      {error && <Failure error={error} retry={reload} />}
      {!address && !error && <Loading />}
      {address && (
        <>
          <div class="actions left">
            {(Object.keys(actionNames) as Action[]).filter((a) => applies(a, address)).map((action, n) => (
              <Button key={action} onClick={() => act(action)} kind={action === 'delete' ? 'danger' : n === 0 ? 'primary' : 'plain'}>
                {actionNames[action]}
              </Button>
            ))}
          </div>
          {address.cooling_until !== undefined && fromGregorian(address.cooling_until) > new Date() && (
            <Notice kind="warn">Cooling until {localTime(fromGregorian(address.cooling_until))}: only the account that had it can take it.</Notice>
          )}
          <Pairs>
            <Pair name="Status"><Status status={address.status} cooling={address.cooling_until} /></Pair>
            <Pair name="Held by">{address.assigned_to ? <AccountName id={address.assigned_to} name={address.account_name} /> : <span class="muted">nobody</span>}</Pair>
            {address.assigned_to && <Pair name="Account id"><Text mono>{address.assigned_to}</Text></Pair>}
            <Pair name="Zone"><Text>{address.zone}</Text></Pair>
            <Pair name="Host"><Text>{address.host}</Text></Pair>
            <Pair name="Notes">{address.notes ? <Text>{address.notes}</Text> : <span class="muted">none</span>}</Pair>
            {address.id !== address.ip && <Pair name="Document"><Text mono>{address.id}</Text></Pair>}
            <Pair name="Revision"><Text mono>{data.revision}</Text></Pair>
          </Pairs>
          <h3>Time line</h3>
          {past.error && <Failure error={past.error} retry={past.reload} />}
          {past.data ? <TimeLine events={past.data.data} /> : !past.error && <Loading />}
          {past.data?.next_start_key && <p><Link href={href('history', { ip: address.ip })}>All events of this address</Link></p>}
        </>
      )}
    </section>
  )
}
