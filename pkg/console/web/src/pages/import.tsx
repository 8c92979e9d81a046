import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type ApiError, call } from '../api'
import { parseCsv } from '../csv'
import { href } from '../route'
import { count, plural } from '../time'
import { AreaField, named, split, TextField } from '../ui/field'
import { asError, Button, Empty, Failure, Link, Notice, Text, useSettled, useTitle } from '../ui/parts'
import { fixed } from '../ui/paged'
import { Table } from '../ui/table'
import { say } from '../ui/toast'
import { usePlaces } from './addresses'

/** One entry of the request, as PUT ips takes it. */
interface Entry {
  line: number
  text: string // the address, network or range
  zone?: string
  host?: string
  notes?: string
}

type Outcome = 'created' | 'unchanged' | 'refused'

interface Row {
  entry: Entry
  outcome: Outcome
  ip: string
  zone: string
  host: string
  reason: string
}

interface Result {
  created: string[]
  unchanged: string[]
  refused: Record<string, Record<string, { message?: string; value?: unknown }>>
}

const entriesPerRequest = 1000
const addressesPerRequest = 16_000

const nothing: Entry[] = []

/** Reads a file with a header line, or with the columns ip, zone, host and notes. */
function readFile(text: string): { entries: Entry[]; problem?: string } {
  const records = parseCsv(text)
  const [header] = records
  if (!header) return { entries: [], problem: 'The file is empty.' }
  const names = header.cells.map((c) => c.toLowerCase())
  const titled = names.some((n) => ['ip', 'address', 'cidr', 'range'].includes(n))
  const column = (...wanted: string[]) => titled ? names.findIndex((n) => wanted.includes(n)) : ['ip', 'zone', 'host', 'notes'].indexOf(wanted[0]!)
  const [ip, cidr, range, zone, host, notes] = [column('ip', 'address'), titled ? column('cidr') : -1, titled ? column('range') : -1, column('zone'), column('host'), column('notes')]
  const entries = records.slice(titled ? 1 : 0).map(({ line, cells }) => {
    const entry: Entry = { line, text: cells[ip] || cells[cidr] || cells[range] || '' }
    for (const [name, n] of [['zone', zone], ['host', host], ['notes', notes]] as const) {
      // An export puts an apostrophe before what a spreadsheet would take for a formula.
      const value = cells[n]?.replace(/^'(?=[=+\-@])/, '')
      if (value) entry[name] = value
    }
    return entry
  })
  return entries.length ? { entries } : { entries, problem: 'The file has no lines below its header.' }
}

function readTyped(text: string): Entry[] {
  return text.split(/[\n,;]/).map((part, n) => ({ line: n + 1, text: part.trim() })).filter((e) => e.text)
}

/** Returns an entry as the API takes it. */
function wire({ text, zone, host, notes }: Entry): Record<string, string> {
  const kind = text.includes('/') ? 'cidr' : text.includes('-') ? 'range' : 'ip'
  return { [kind]: text, ...(zone && { zone }), ...(host && { host }), ...(notes && { notes }) }
}

/** About how many addresses an entry stands for; the server counts exactly. */
function size({ text }: Entry): number {
  const bits = /\/(\d+)$/.exec(text)
  if (bits) return 2 ** Math.min(40, Math.max(0, (text.includes(':') ? 128 : 32) - Number(bits[1])))
  return text.includes('-') ? 256 : 1
}

function chunks(entries: Entry[]): Entry[][] {
  const list: Entry[][] = []
  let chunk: Entry[] = []
  let n = 0
  for (const entry of entries) {
    if (chunk.length && (chunk.length >= entriesPerRequest || n + size(entry) > addressesPerRequest)) {
      list.push(chunk)
      chunk = []
      n = 0
    }
    chunk.push(entry)
    n += size(entry)
  }
  if (chunk.length) list.push(chunk)
  return list
}

export function Import() {
  useTitle('Import')
  const places = usePlaces()
  const [typed, setTyped] = useState('')
  const [file, setFile] = useState<{ name: string; entries: Entry[]; problem?: string }>()
  const [zone, setZone] = useState('')
  const [host, setHost] = useState('')
  const [dragged, setDragged] = useState(false)
  const [rows, setRows] = useState<Row[]>()
  const [error, setError] = useState<ApiError>()
  const [state, setState] = useState<'idle' | 'checking' | 'checked' | 'running' | 'done'>('idle')
  const [progress, setProgress] = useState<[number, number]>([0, 0])
  const stop = useRef<AbortController | undefined>(undefined)
  const settledText = useSettled(typed, 350)
  const settledPlace = useSettled(`${zone}\n${host}`, 350)
  const entries = useMemo(() => file ? file.entries : settledText.trim() ? readTyped(settledText) : nothing, [file, settledText])

  /** Sends all entries, and shows what the server says of each. */
  const send = async (dryRun: boolean, signal: AbortSignal) => {
    const parts = chunks(entries)
    const all: Row[] = []
    setProgress([0, entries.length])
    for (const part of parts) {
      const data = { ips: part.map(wire), ...(zone.trim() && { zone: zone.trim() }), ...(host.trim() && { host: host.trim() }) }
      const { data: result } = await call<Result>('PUT', 'ips', { data, query: { dry_run: dryRun || undefined }, signal })
      if (signal.aborted) return all
      for (const [index, codes] of Object.entries(result.refused)) {
        const entry = part[Number(index)] ?? part[0]!
        const reason = Object.entries(codes).map(([code, d]) => d?.message ?? code).join(' ')
        all.push({ entry, outcome: 'refused', ip: entry.text, zone: entry.zone || zone, host: entry.host || host, reason })
      }
      const single = new Map(part.map((entry) => [entry.text, entry]))
      const blocks = part.filter((entry) => size(entry) > 1)
      for (const outcome of ['created', 'unchanged'] as const) {
        for (const ip of result[outcome]) {
          // The server does not say which block an address is from. Where there are several, zone and host stay empty.
          const entry = single.get(ip) ?? (blocks.length === 1 ? blocks[0] : undefined)
          all.push({ entry: entry ?? part[0]!, outcome, ip, zone: entry ? entry.zone || zone : '', host: entry ? entry.host || host : '', reason: '' })
        }
      }
      setProgress(([done, of]) => [done + part.length, of])
    }
    return all
  }
  const order: Outcome[] = ['refused', 'created', 'unchanged']
  const sorted = (list: Row[]) => list.sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome))

  useEffect(() => {
    setRows(undefined)
    setError(undefined)
    if (!entries.length) return setState('idle')
    const abort = new AbortController()
    setState('checking')
    send(true, abort.signal).then(
      (list) => {
        if (abort.signal.aborted) return
        setRows(sorted(list))
        setState('checked')
      },
      (cause) => {
        if (abort.signal.aborted) return
        setError(asError(cause))
        setState('idle')
      },
    )
    return () => abort.abort()
  }, [entries, settledPlace])

  const run = async () => {
    stop.current = new AbortController()
    setState('running')
    setError(undefined)
    try {
      const list = await send(false, stop.current.signal)
      setRows(sorted(list))
      const created = list.filter((r) => r.outcome === 'created').length
      say(`${plural(created, 'address is', 'addresses are')} created.`)
    } catch (cause) {
      setError(asError(cause))
    }
    setState('done')
    places.reload()
  }
  const choose = async (chosen: File | undefined) => {
    if (chosen) setFile({ name: chosen.name, ...readFile(await chosen.text()) })
  }

  const tally = useMemo(() => {
    const n: Record<Outcome, number> = { created: 0, unchanged: 0, refused: 0 }
    for (const r of rows ?? []) n[r.outcome]++
    return n
  }, [rows])
  const { at, rest } = split(error, { zone: named('zone'), host: named('host'), typed: (f) => f === 'ips' || f.startsWith('ips.') })
  const waiting = state === 'checking' || typed !== settledText || `${zone}\n${host}` !== settledPlace
  const done = state === 'done'
  const list = useMemo(() => rows && fixed(rows), [rows])
  return (
    <>
      <div class="head">
        <h1>Import</h1>
        <Link href={href('addresses')} class="button quiet">Back to the list</Link>
      </div>
      <section class="card form" aria-label="What to import">
        <div
          class={dragged ? 'drop over' : 'drop'}
          onDragOver={(event) => {
            event.preventDefault()
            setDragged(true)
          }}
          onDragLeave={() => setDragged(false)}
          onDrop={(event) => {
            event.preventDefault()
            setDragged(false)
            void choose(event.dataTransfer?.files[0])
          }}
        >
          <label for="csv-file">CSV file</label>
          <input id="csv-file" type="file" accept=".csv,text/csv,text/plain" onChange={(event) => void choose(event.currentTarget.files?.[0])} />
          <span class="hint">Drop a file here, or choose one. Columns: ip (an address, network or range), zone, host, notes.</span>
          {file && (
            <p class="row">
              <Text>{file.name}</Text> <span class="muted num">{plural(file.entries.length, 'line')}</span>
              <Button kind="quiet" onClick={() => {
                setFile(undefined)
                const input = document.getElementById('csv-file')
                if (input instanceof HTMLInputElement) input.value = ''
              }}>Take away</Button>
            </p>
          )}
          {file?.problem && <p class="error" role="alert">{file.problem}</p>}
        </div>
        {!file && (
          <AreaField label="CIDR" value={typed} onInput={setTyped} error={at['typed']} placeholder={'198.51.100.0/24\n203.0.113.10-203.0.113.20\n2001:db8::7'}
            hint="Networks, ranges or addresses, one a line. Of an IPv4 network the first and the last address are left out." />
        )}
        <div class="row">
          <TextField label="Zone" value={zone} onInput={setZone} suggestions={places.zones} error={at['zone']} {...(file && { hint: 'For lines without one' })} />
          <TextField label="Host" value={host} onInput={setHost} suggestions={places.hosts} error={at['host']} {...(file && { hint: 'For lines without one' })} />
        </div>
        {file && at['typed'] && <Notice kind="error"><bdi>{at['typed']}</bdi></Notice>}
        {rest && <Failure error={rest} />}
        <div class="actions left">
          {!done && (
            <Button kind="primary" onClick={() => void run()} busy={state === 'running'}
              disabled={state !== 'checked' || waiting || tally.created === 0}>Import</Button>
          )}
          {state === 'running' && <Button onClick={() => stop.current?.abort()}>Stop</Button>}
          {done && (
            <Button onClick={() => {
              setTyped('')
              setFile(undefined)
              setRows(undefined)
              setState('idle')
            }}>Add more</Button>
          )}
          {(state === 'checking' || state === 'running') && progress[1] > 0 && (
            <>
              <progress max={progress[1]} value={progress[0]} aria-label="Progress" />
              <span class="muted num" role="status">{state === 'checking' ? 'Checking' : 'Importing'}, {count(progress[0])} of {count(progress[1])} lines</span>
            </>
          )}
        </div>
      </section>
      {rows && list && (
        <section class="result" aria-labelledby="dry-run">
          <h2 id="dry-run">{done ? 'Result' : 'Dry run'}</h2>
          <Notice kind={tally.refused ? 'warn' : done ? 'good' : 'info'}>
            <span>
              {done
                ? <><strong class="num">{plural(tally.created, 'address was', 'addresses were')} created</strong>, {count(tally.unchanged)} had been there, {plural(tally.refused, 'entry was', 'entries were')} refused.</>
                : <><strong class="num">{plural(tally.created, 'address', 'addresses')} would be created</strong>, {count(tally.unchanged)} are there already, {plural(tally.refused, 'entry', 'entries')} would be refused. Nothing is written yet.</>}
            </span>
          </Notice>
          <Table<Row>
            label={done ? 'What was imported' : 'What would be imported'} rows={list} fit
            id={(row) => `${row.outcome} ${row.ip} ${row.entry.line}`}
            columns={[
              { name: 'IP', class: 'ip', cell: (row) => <Text mono>{row.ip}</Text> },
              { name: 'Outcome', class: 'narrow', cell: (row) => <span class={`outcome ${row.outcome}`}>{row.outcome === 'created' ? done ? 'created' : 'new' : row.outcome}</span> },
              { name: 'Zone', class: 'cut medium', cell: (row) => <Text>{row.zone}</Text> },
              { name: 'Host', class: 'cut large', cell: (row) => <Text>{row.host}</Text> },
              { name: 'Reason', class: 'cut reason', cell: (row) => row.reason && <bdi class="error" title={row.reason}>{`${file ? `Line ${row.entry.line}: ` : ''}${row.reason}`}</bdi> },
            ]}
            empty={<Empty>Nothing.</Empty>}
          />
        </section>
      )}
    </>
  )
}
