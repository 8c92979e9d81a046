import { useEffect, useState } from 'preact/hooks'
import { ApiError, call, type Cluster, get, seg } from '../api'
import { go, href, useRoute } from '../route'
import { count, plural } from '../time'
import { AreaField, CheckField, split, TextField } from '../ui/field'
import { ModalTitle, openModal } from '../ui/modal'
import { asError, Button, Empty, Failure, Link, Loading, Notice, Pair, Pairs, Text, useLoad, useTitle } from '../ui/parts'
import { say } from '../ui/toast'

const directions = ['inbound', 'outbound'] as const

const pageSize = 20

export function Clusters() {
  useTitle('Clusters')
  const { query } = useRoute()
  const [turn, setTurn] = useState(0)
  const { data, error, reload } = useLoad((signal) => get<Cluster[]>('routing/customer_clusters', undefined, signal), [turn])
  const open = query['id']
  const all = data?.data ?? []
  const page = Math.max(0, Number(query['page'] ?? 0) || 0)
  const shown = all.slice(page * pageSize, (page + 1) * pageSize)
  if (query['edit'] !== undefined) {
    return <Editor key={query['edit']} id={query['edit']} done={() => {
      setTurn((n) => n + 1)
      go(href('clusters', { id: query['edit'] }))
    }} />
  }
  return (
    <div class={open ? 'split open' : 'split'}>
      <div class="list pages">
        <div class="head">
          <h1>Clusters</h1>
          <Button onClick={() => openModal((close) => <NewCluster close={close} />)}>New cluster</Button>
        </div>
        <LookUp />
        {error && <Failure error={error} retry={reload} />}
        {!data && !error && <Loading />}
        {data && all.length === 0 && <Empty>No cluster has a routing document yet.</Empty>}
        {shown.length > 0 && (
          <div class="wide card" tabIndex={0} role="region" aria-label="List of clusters">
            <table class="plain clusters">
              <thead><tr><th scope="col">Owner</th><th scope="col">Name</th><th scope="col">Addresses</th></tr></thead>
              <tbody>{shown.map((c) => <ClusterRow key={`${c.id} ${turn}`} cluster={c} open={c.id === open} page={query['page']} />)}</tbody>
            </table>
          </div>
        )}
        {all.length > pageSize && (
          <p class="row">
            <span class="muted num">{count(page * pageSize + 1)} to {count(page * pageSize + shown.length)} of {count(all.length)}</span>
            {page > 0 && <Link href={href('clusters', { page: String(page - 1) })} class="button">Back</Link>}
            {(page + 1) * pageSize < all.length && <Link href={href('clusters', { page: String(page + 1) })} class="button">Next</Link>}
          </p>
        )}
      </div>
      {open && <Details key={open} id={open} close={href('clusters', { page: query['page'] })} turn={turn} removed={() => {
        setTurn((n) => n + 1)
        go(href('clusters'), true)
      }} />}
    </div>
  )
}

const document = (id: string, signal?: AbortSignal) => get<Cluster>(`routing/customer_clusters/${seg(id)}`, undefined, signal)

function ClusterRow({ cluster, open, page }: { cluster: Cluster; open: boolean; page: string | undefined }) {
  const { data, error } = useLoad((signal) => document(cluster.id, signal), [cluster.id])
  return (
    <tr class={open ? 'current' : undefined}>
      <th scope="row" class="cut"><Text>{cluster.owner}</Text></th>
      <td class="cut"><Link href={href('clusters', { id: cluster.id, page })} current={open} class="cut"><Text>{cluster.name || cluster.id}</Text></Link></td>
      <td>{data ? <Matrix cluster={data.data} counts /> : error ? <bdi class="error">{error.message}</bdi> : <span class="muted">…</span>}</td>
    </tr>
  )
}

const zonesOf = (c: Cluster) =>
  [...new Set(directions.flatMap((d) => Object.keys(c.ips?.[d] ?? {})))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))

/** Addresses by direction and zone, or how many they are. */
function Matrix({ cluster, counts }: { cluster: Cluster; counts?: boolean }) {
  const zones = zonesOf(cluster)
  if (!zones.length) return <span class="muted">none</span>
  return (
    <table class={counts ? 'matrix counts' : 'matrix'}>
      <thead><tr><th scope="col">Zone</th>{directions.map((d) => <th key={d} scope="col">{d}</th>)}</tr></thead>
      <tbody>
        {zones.map((zone) => (
          <tr key={zone}>
            <th scope="row" class="cut"><Text>{zone}</Text></th>
            {directions.map((d) => {
              const list = cluster.ips?.[d]?.[zone] ?? []
              return <td key={d} class={counts ? 'num' : 'mono'}>{counts ? count(list.length) : list.map((ip) => <div key={ip}><Text>{ip}</Text></div>)}</td>
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Details({ id, close, turn, removed }: { id: string; close: string; turn: number; removed: () => void }) {
  const { data, error, reload } = useLoad((signal) => document(id, signal), [id, turn])
  const cluster = data?.data
  return (
    <section class="details" aria-label="Details" onKeyDown={(event) => {
      if (event.key === 'Escape' && !event.defaultPrevented) go(close)
    }}>
      <div class="head">
        <h2><Text>{cluster?.name || id}</Text></h2>
        <Link href={close} class="button quiet" label="Close details">Close</Link>
      </div>
      {error && <Failure error={error} retry={reload} />}
      {!cluster && !error && <Loading />}
      {cluster && (
        <>
          <div class="actions left">
            <Button kind="primary" onClick={() => go(href('clusters', { edit: id }))}>Edit</Button>
            <Button kind="danger" onClick={() => openModal((closeDialog) => (
              <DeleteCluster cluster={cluster} revision={data.revision} close={closeDialog} done={removed} failed={reload} />
            ))}>Delete</Button>
          </div>
          <Pairs>
            <Pair name="Owner"><Text>{cluster.owner}</Text></Pair>
            <Pair name="Cluster id"><Text mono>{cluster.id}</Text></Pair>
            <Pair name="Order in a zone">{cluster.randomize_routing ? 'random' : 'as listed'}</Pair>
            <Pair name="Revision"><Text mono>{data.revision}</Text></Pair>
          </Pairs>
          <h3>By direction and zone</h3>
          <Matrix cluster={cluster} />
        </>
      )}
    </section>
  )
}

function DeleteCluster(props: { cluster: Cluster; revision: string | undefined; close: () => void; done: () => void; failed: () => void }) {
  const [error, setError] = useState<ApiError>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      await call('DELETE', `routing/customer_clusters/${seg(props.cluster.id)}`, { ifMatch: props.revision })
      say('The cluster’s document is deleted.')
      props.close()
      props.done()
    } catch (cause) {
      setError(asError(cause))
      props.failed()
    }
    setBusy(false)
  }
  const n = directions.reduce((sum, d) => sum + Object.values(props.cluster.ips?.[d] ?? {}).flat().length, 0)
  return (
    <form onSubmit={submit}>
      <ModalTitle>Delete <Text>{props.cluster.name}</Text></ModalTitle>
      <p>The routing document is deleted. Look-ups of its {plural(n, 'address', 'addresses')} find nothing from then on, and other clusters may claim them.</p>
      {error && <Failure error={error} />}
      <div class="actions">
        <Button onClick={props.close} disabled={busy}>Cancel</Button>
        <Button kind="danger" submit busy={busy}>Delete</Button>
      </div>
    </form>
  )
}

function NewCluster({ close }: { close: () => void }) {
  const [id, setId] = useState('')
  const [error, setError] = useState('')
  return (
    <form onSubmit={(event) => {
      event.preventDefault()
      if (!/^[0-9a-f]{32}$/.test(id.trim())) return setError('A cluster id has 32 digits and letters from a to f.')
      close()
      go(href('clusters', { edit: id.trim() }))
    }}>
      <ModalTitle>New cluster</ModalTitle>
      <p>The next page asks for its owner, its name and its addresses.</p>
      <TextField label="Cluster id" value={id} onInput={setId} error={error} mono autofocus />
      <div class="actions"><Button onClick={close}>Cancel</Button><Button kind="primary" submit>Continue</Button></div>
    </form>
  )
}

/** Whose an address is. */
function LookUp() {
  const { query } = useRoute()
  const [ip, setIp] = useState(query['lookup'] ?? '')
  const [asked, setAsked] = useState(query['lookup'] ?? '')
  const found = useLoad(async (signal) => asked
    ? (await get<{ cluster_id: string; owner: string; name: string; direction: string; zone: string }[]>('routing/lookup', { ip: asked }, signal)).data
    : undefined, [asked])
  const { at, rest } = split(found.error, { ip: (f) => f === 'ip' })
  return (
    <section class="card" aria-labelledby="look-up">
      <h2 id="look-up">Look-up</h2>
      <form class="row" role="search" noValidate onSubmit={(event) => {
        event.preventDefault()
        if (asked === ip.trim()) found.reload()
        setAsked(ip.trim())
      }}>
        <TextField label="Address" value={ip} onInput={setIp} error={at['ip']} mono />
        <Button submit busy={asked !== '' && found.loading}>Look up</Button>
      </form>
      {rest && <Failure error={rest} />}
      {asked && found.data && (
        <div role="status">
          {found.data.length === 0 && <p>No cluster has <Text mono>{asked}</Text>.</p>}
          {found.data.map((hit) => (
            <p key={`${hit.cluster_id} ${hit.direction} ${hit.zone}`}>
              <Text mono>{asked}</Text> belongs to <Link href={href('clusters', { id: hit.cluster_id })}><Text>{hit.name || hit.cluster_id}</Text></Link>{' '}
              of <Text>{hit.owner}</Text>, <strong>{hit.direction}</strong>, zone <Text>{hit.zone}</Text>.
            </p>
          ))}
        </div>
      )}
    </section>
  )
}

interface Draft {
  owner: string
  name: string
  random: boolean
  zones: { key: number; name: string; inbound: string; outbound: string }[]
}

const lines = (text: string) => text.split(/[\s,;]+/).filter(Boolean)

const draftOf = (c: Cluster | undefined): Draft => ({
  owner: c?.owner ?? '', name: c?.name ?? '', random: c?.randomize_routing ?? false,
  zones: c ? zonesOf(c).map((name, key) => ({
    key, name, inbound: (c.ips?.inbound?.[name] ?? []).join('\n'), outbound: (c.ips?.outbound?.[name] ?? []).join('\n'),
  })) : [{ key: 0, name: '', inbound: '', outbound: '' }],
})

/** Returns the addresses of a draft. A zone without any in a direction is there only if the stored document has it. */
function ipsOf(draft: Draft, stored: Cluster | undefined): NonNullable<Cluster['ips']> {
  const ips: NonNullable<Cluster['ips']> = { inbound: {}, outbound: {} }
  for (const zone of draft.zones) {
    for (const d of directions) {
      const list = lines(zone[d])
      if (zone.name.trim() && (list.length || stored?.ips?.[d]?.[zone.name.trim()])) ips[d][zone.name.trim()] = list
    }
  }
  return ips
}

interface Change {
  where: string
  removed: string[]
  added: string[]
}

/** Compares what is stored with what would be saved. */
function compare(stored: Cluster | undefined, owner: string, name: string, random: boolean, ips: NonNullable<Cluster['ips']>): Change[] {
  const changes: Change[] = []
  const field = (where: string, old: string, now: string) => {
    if (old !== now) changes.push({ where, removed: old ? [old] : [], added: now ? [now] : [] })
  }
  field('Owner', stored?.owner ?? '', owner)
  field('Name', stored?.name ?? '', name)
  field('Order in a zone', stored ? stored.randomize_routing ? 'random' : 'as listed' : '', random ? 'random' : 'as listed')
  for (const d of directions) {
    const before = stored?.ips?.[d] ?? {}
    for (const zone of new Set([...Object.keys(before), ...Object.keys(ips[d])])) {
      const old = before[zone] ?? []
      const now = ips[d][zone] ?? []
      const removed = old.filter((ip) => !now.includes(ip))
      const added = now.filter((ip) => !old.includes(ip))
      if (removed.length || added.length) changes.push({ where: `${d}, ${zone}`, removed, added })
      else if (old.join() !== now.join()) changes.push({ where: `${d}, ${zone}: order`, removed: old, added: now })
    }
  }
  return changes
}

function Editor({ id, done }: { id: string; done: () => void }) {
  const stored = useLoad(async (signal) => {
    try {
      return await document(id, signal)
    } catch (cause) {
      if (cause instanceof ApiError && cause.status === 404) return undefined
      throw cause
    }
  }, [id])
  const [draft, setDraft] = useState<Draft>()
  const [error, setError] = useState<ApiError>()
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    if (!stored.loading && !stored.error && !draft) setDraft(draftOf(stored.data?.data))
  }, [stored.loading])
  if (stored.error) return <Failure error={stored.error} retry={stored.reload} />
  if (!draft) return <Loading />
  const before = stored.data?.data
  const ips = ipsOf(draft, before)
  const changes = compare(before, draft.owner, draft.name, draft.random, ips)
  const set = (part: Partial<Draft>) => setDraft({ ...draft, ...part })
  const setZone = (key: number, part: Partial<Draft['zones'][number]>) =>
    set({ zones: draft.zones.map((z) => z.key === key ? { ...z, ...part } : z) })

  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setError(undefined)
    try {
      const data = { ...(before ?? {}), owner: draft.owner, name: draft.name, randomize_routing: draft.random, ips }
      await call(before ? 'POST' : 'PUT', `routing/customer_clusters/${seg(id)}`, { data, ifMatch: stored.data?.revision })
      say('The cluster is saved.')
      done()
    } catch (cause) {
      const failed = asError(cause)
      setError(failed)
      if (failed.status === 412 || failed.status === 409) stored.reload()
    }
    setBusy(false)
  }
  const fields: Record<string, (f: string) => boolean> = { owner: (f) => f === 'owner', name: (f) => f === 'name' }
  for (const zone of draft.zones) {
    for (const d of directions) {
      const path = `ips.${d}.${zone.name.trim()}`
      fields[`${d} ${zone.key}`] = (f) => zone.name.trim() !== '' && (f === path || f.startsWith(path + '.'))
    }
  }
  const { at, rest } = split(error, fields)
  return (
    <>
      <div class="head">
        <h1>Clusters</h1>
        <Link href={href('clusters', before ? { id } : {})} class="button quiet">Back without saving</Link>
      </div>
      <form onSubmit={submit} noValidate class="editor">
        <section class="card form" aria-labelledby="editor-title">
          <h2 id="editor-title">{before ? <Text>{before.name}</Text> : 'New cluster'} <span class="muted small mono">{id}</span></h2>
          <div class="row">
            <TextField label="Owner" value={draft.owner} onInput={(owner) => set({ owner })} error={at['owner']} />
            <TextField label="Name" value={draft.name} onInput={(name) => set({ name })} error={at['name']} />
          </div>
          <CheckField label="Random order in a zone" checked={draft.random} onInput={(random) => set({ random })} />
          {draft.zones.map((zone) => (
            <fieldset key={zone.key} class="zone">
              <legend class="cut">{zone.name ? <>Zone <Text>{zone.name}</Text></> : 'New zone'}</legend>
              <div class="row">
                {!before?.ips || !zonesOf(before).includes(zone.name) || !zone.name
                  ? <TextField label="Zone" value={zone.name} onInput={(name) => setZone(zone.key, { name })} /> : null}
                <AreaField label="Inbound" value={zone.inbound} onInput={(inbound) => setZone(zone.key, { inbound })} error={at[`inbound ${zone.key}`]} hint="One address a line" />
                <AreaField label="Outbound" value={zone.outbound} onInput={(outbound) => setZone(zone.key, { outbound })} error={at[`outbound ${zone.key}`]} hint="One address a line" />
                <Button kind="quiet" label={`Take away zone ${zone.name}`} onClick={() => set({ zones: draft.zones.filter((z) => z.key !== zone.key) })}>Take away</Button>
              </div>
            </fieldset>
          ))}
          <Button onClick={() => set({ zones: [...draft.zones, { key: Math.max(0, ...draft.zones.map((z) => z.key)) + 1, name: '', inbound: '', outbound: '' }] })}>Add zone</Button>
        </section>
        <section class="card" aria-labelledby="comparison">
          <h2 id="comparison">Compared with the stored document</h2>
          {error?.status === 412 && <Notice kind="warn">Somebody else has changed it. The comparison is with what is stored now; save again to replace that.</Notice>}
          {changes.length === 0 && <p class="muted">Nothing is changed.</p>}
          {changes.length > 0 && (
            <ul class="changes">
              {changes.map((c) => (
                <li key={c.where}>
                  <span class="where"><Text>{c.where}</Text></span>
                  <span>
                    {c.removed.map((t) => <del key={t}><Text mono>{t}</Text></del>)}
                    {c.added.map((t) => <ins key={t}><Text mono>{t}</Text></ins>)}
                  </span>
                </li>
              ))}
            </ul>
          )}
          {rest && error?.status !== 412 && <Failure error={rest} />}
          <div class="actions left">
            <Button kind="primary" submit busy={busy} disabled={changes.length === 0}>{before ? 'Save edit' : 'Create cluster'}</Button>
          </div>
        </section>
      </form>
    </>
  )
}
