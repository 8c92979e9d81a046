// The addresses of an account, for its own users.
import { useEffect, useState } from 'preact/hooks'
import { type Address, type Event, get, type Item, seg } from '../api'
import { type Action, actionNames, openAction, openAllocate } from '../actions'
import { go, href, useRoute } from '../route'
import type { User } from '../session'
import { count, plural } from '../time'
import { SelectField, TextField } from '../ui/field'
import { Button, Empty, Failure, Link, Loading, Pair, Pairs, Status, Text, useLoad, useSettled, useTitle } from '../ui/parts'
import { fixed, Paged, type Rows } from '../ui/paged'
import { Table } from '../ui/table'
import { TimeLine } from '../ui/events'
import { FilterBar } from './addresses'

export function OwnAddresses({ user }: { user: User }) {
  useTitle('Addresses')
  const { query } = useRoute()
  const own = `accounts/${seg(user.accountId)}/ips`
  const status = query['status'] || 'assigned'
  const filters = { search: query['search'] ?? '', zone: query['zone'] ?? '', status: query['status'] ?? '' }
  const set = (name: keyof typeof filters) => (value: string) => go(href('addresses', { ...filters, [name]: value }), true)
  const [turn, setTurn] = useState(0)
  const zones = useLoad((signal) => get<string[]>(`${own}/zones`, undefined, signal), [own])
  const held = useLoad((signal) => get<Item[]>(`${own}/assigned`, undefined, signal), [own, turn])
  const search = useSettled(filters.search)
  const [rows, setRows] = useState<Rows<Item>>()
  const [, again] = useState({})
  useEffect(() => {
    if (status === 'assigned') {
      if (held.data) {
        setRows(fixed(held.data.data.filter((item) =>
          item.ip.startsWith(search.trim()) && (!filters.zone || item.zone === filters.zone))))
      }
      return
    }
    const list = new Paged<Item>(own, { zone: filters.zone })
    setRows(list)
    return () => list.close()
  }, [own, status, held.data, search, filters.zone, turn])
  useEffect(() => {
    again({})
    return rows?.follow(() => again({}))
  }, [rows])
  const reload = () => setTurn((n) => n + 1)
  const [selected, setSelected] = useState<Map<string, Item>>(new Map())
  useEffect(() => setSelected(new Map()), [status])
  const open = query['ip']
  const action: Action = status === 'assigned' ? 'release' : 'assign'
  const url = (ip?: string) => href('addresses', { ...filters, ip })
  const zoneNames = zones.data?.data ?? []
  const address = (item: Item): Address => ({
    id: item.ip, ip: item.ip, zone: item.zone, host: '', type: 'dedicated_ip', status,
    ...(status === 'assigned' && { assigned_to: user.accountId }),
  })
  const act = () => openAction({
    action, rows: [...selected.values()].map(address), zones: [], hosts: [], ownAccount: user.accountId,
    done: (succeeded, failed) => {
      const done = new Set(succeeded.map((row) => row.id))
      setSelected((old) => new Map([...old].filter(([ip]) => !done.has(ip) || failed.some((f) => f.row.id === ip))))
      reload()
    },
  })
  const error = status === 'assigned' ? held.error : undefined
  return (
    <div class={open ? 'split open' : 'split'}>
      <div class="list">
        <div class="head">
          <h1>Addresses</h1>
          {!open && (
            <Button kind="primary" onClick={() => openAllocate({ zones: zoneNames, account: user.accountId, own: true, done: reload })}>
              Allocate
            </Button>
          )}
        </div>
        <FilterBar count={filters.zone || filters.status ? 1 : 0} search={status === 'assigned'
          ? <TextField label="Search" type="search" value={filters.search} onInput={set('search')} placeholder="Beginning of an address" class="wide-field" />
          : null}>
          <SelectField label="Status" value={filters.status} onInput={set('status')} options={[
            { value: '', text: 'assigned to this account' }, { value: 'available', text: 'available' }]} />
          <SelectField label="Zone" value={filters.zone} onInput={set('zone')}
            options={[{ value: '', text: 'All' }, ...zoneNames.map((z) => ({ value: z, text: z }))]} />
        </FilterBar>
        <div class="bulk">
          {selected.size > 0 && !open
            ? (
              <>
                <span class="num">{plural(selected.size, 'address', 'addresses')} selected</span>
                <Button onClick={act}>{actionNames[action]}</Button>
                <Button kind="quiet" onClick={() => setSelected(new Map())}>Clear selection</Button>
              </>
            )
            : <span class="muted num" role="status">{rows && (rows.more() ? `${count(rows.length())} read, more below` : plural(rows.length(), 'address', 'addresses'))}</span>}
        </div>
        {error && <Failure error={error} retry={held.reload} />}
        {!rows && !error && <Loading />}
        {rows && (
          <Table<Item>
            label="List of addresses" rows={rows} id={(row) => row.ip} current={open}
            selection={{
              has: (row) => selected.has(row.ip),
              toggle: (row, on) => setSelected((old) => {
                const next = new Map(old)
                if (on) next.set(row.ip, row)
                else next.delete(row.ip)
                return next
              }),
              all: (on) => {
                const next = new Map<string, Item>()
                for (let n = 0; on && n < rows.length(); n++) {
                  const row = rows.at(n)
                  if (row) next.set(row.ip, row)
                }
                setSelected(next)
              },
              state: selected.size === 0 ? 'none' : selected.size === rows.length() ? 'all' : 'some',
              label: (row) => `Select ${row.ip}`,
            }}
            columns={[
              { name: 'IP', class: 'ip', cell: (row) => <Link href={url(row.ip)} class="mono cut" current={row.ip === open}><Text>{row.ip}</Text></Link> },
              { name: 'Status', class: 'narrow', cell: () => <Status status={status} /> },
              { name: 'Zone', class: 'cut', cell: (row) => <Text>{row.zone}</Text> },
            ]}
            empty={<Empty>{status === 'assigned' ? 'The account has no such addresses.' : 'No address is available.'}</Empty>}
          />
        )}
      </div>
      {open && <OwnDetails key={open} ip={open} user={user} close={url()} changed={reload} />}
    </div>
  )
}

function OwnDetails(props: { ip: string; user: User; close: string; changed: () => void }) {
  const path = `accounts/${seg(props.user.accountId)}/ips`
  const { data, error, reload } = useLoad((signal) => get<Address>(`${path}/${seg(props.ip)}`, undefined, signal), [props.ip])
  const past = useLoad((signal) => get<Event[]>(`${path}/history`, { page_size: 1000 }, signal), [props.ip, data])
  const address = data?.data
  const action: Action | undefined = !address ? undefined : address.status === 'available' ? 'assign' : 'release'
  const act = (chosen: Action) => address && openAction({
    action: chosen, rows: [address], zones: [], hosts: [], ownAccount: props.user.accountId,
    done: () => {
      reload()
      props.changed()
    },
  })
  return (
    <section class="details" aria-label="Details" onKeyDown={(event) => {
      if (event.key === 'Escape' && !event.defaultPrevented) go(props.close)
    }}>
      <div class="head">
        <h2><Text mono>{props.ip}</Text></h2>
        <Link href={props.close} class="button quiet" label="Close details">Close</Link>
      </div>
      {error && <Failure error={error} retry={reload} />}
      {!address && !error && <Loading />}
      {address && action && (
        <>
          <div class="actions left"><Button kind="primary" onClick={() => act(action)}>{actionNames[action]}</Button></div>
          <Pairs>
            <Pair name="Status"><Status status={address.status} /></Pair>
            <Pair name="Zone"><Text>{address.zone}</Text></Pair>
            <Pair name="Host"><Text>{address.host}</Text></Pair>
          </Pairs>
          <h3>Time line</h3>
          {past.error && <Failure error={past.error} retry={past.reload} />}
          {past.data ? <TimeLine events={past.data.data.filter((e) => e.ip === address.ip)} /> : !past.error && <Loading />}
        </>
      )}
    </section>
  )
}
