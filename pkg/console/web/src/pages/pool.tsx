import { get, type Counts, type Summary } from '../api'
import { go, href } from '../route'
import { count, plural } from '../time'
import { Button, Empty, Failure, Link, Loading, Text, useLoad, useTitle } from '../ui/parts'
import { Line } from '../ui/chart'

/** The server counts cooling addresses as available, too; here they are apart. */
const apart = <T extends Counts>(c: T): T => ({ ...c, available: c.available - c.cooling })

const sum = (c: Counts) => c.available + c.assigned + c.cooling

/** A zone runs low when less than a tenth of it is available. */
const low = (c: Counts) => sum(c) > 0 && c.available < sum(c) / 10

const byName = (a: [string, unknown], b: [string, unknown]) => a[0].localeCompare(b[0], 'en', { numeric: true })

export function Pool() {
  useTitle('Pool')
  const { data, error, loading, reload } = useLoad((signal) => get<Summary>('ips/summary', { days: 30 }, signal), [])
  return (
    <>
      <div class="head">
        <h1>Pool</h1>
        <Button onClick={reload} busy={loading}>Refresh</Button>
      </div>
      {error && <Failure error={error} retry={reload} />}
      {data ? <Picture summary={data.data} /> : !error && <Loading />}
    </>
  )
}

function Picture({ summary }: { summary: Summary }) {
  const zones = Object.entries(summary.zones).sort(byName).map(([zone, c]) => [zone, {
    ...apart(c), hosts: Object.fromEntries(Object.entries(c.hosts).map(([host, h]) => [host, apart(h)])),
  }] as const)
  const total = apart(summary.total)
  if (sum(total) === 0) {
    return (
      <Empty>
        <h2>Nothing here yet</h2>
        <p>Add addresses from a CSV file, or as a block.</p>
        <Button kind="primary" onClick={() => go(href('import'))}>Import</Button>
      </Empty>
    )
  }
  const largest = Math.max(...zones.map(([, c]) => sum(c)))
  const short = zones.filter(([, c]) => low(c))
  return (
    <>
      <section class="figures" aria-label="Totals">
        <Figure name="Available" n={total.available} kind="available" />
        <Figure name="Assigned" n={total.assigned} kind="assigned" />
        <Figure name="Cooling" n={total.cooling} kind="cooling" />
        <Figure name="In all" n={sum(total)} />
        <Figure name="Zones that run low" n={short.length} kind={short.length ? 'low' : undefined} />
      </section>
      <div class="columns">
        <section class="card" aria-labelledby="by-zone">
          <h2 id="by-zone">By zone</h2>
          <Legend />
          <ul class="bars">
            {zones.map(([zone, c]) => (
              <li key={zone} class={low(c) ? 'low' : undefined}>
                <div class="bar-head">
                  <Link href={href('addresses', { zone })}><Text>{zone}</Text></Link>
                  {low(c) && <span class="badge">runs low</span>}
                  <span class="grow" />
                  <span class="num muted">{count(c.available)} of {count(sum(c))} available</span>
                </div>
                <Bar counts={c} of={largest} />
                {Object.keys(c.hosts).length > 1 && (
                  <ul class="hosts">
                    {Object.entries(c.hosts).sort(byName).slice(0, 6).map(([host, h]) => (
                      <li key={host}>
                        <span class="host muted"><Text>{host}</Text></span>
                        <Bar counts={h} of={largest} thin />
                      </li>
                    ))}
                    {Object.keys(c.hosts).length > 6 && (
                      <li class="muted">and {plural(Object.keys(c.hosts).length - 6, 'more host')}, in the table below</li>
                    )}
                  </ul>
                )}
              </li>
            ))}
          </ul>
        </section>
        <section class="card" aria-labelledby="days">
          <h2 id="days">Assigned, last 30 days</h2>
          <Line points={(summary.days ?? []).map((d) => ({ name: d.day, value: d.assigned }))} />
        </section>
      </div>
      <section class="card" aria-labelledby="numbers">
        <h2 id="numbers">Numbers</h2>
        <div class="wide" tabIndex={0} role="region" aria-label="Table of numbers">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Zone</th><th scope="col">Host</th><th scope="col" class="num">Available</th>
                <th scope="col" class="num">Assigned</th><th scope="col" class="num">Cooling</th>
                <th scope="col" class="num">In all</th>
              </tr>
            </thead>
            <tbody>
              {zones.map(([zone, c]) => {
                const hosts = Object.entries(c.hosts).sort(byName)
                return (
                  <>
                    <tr key={zone} class="group">
                      <th scope="row" class="cut"><Link href={href('addresses', { zone })}><Text>{zone}</Text></Link></th>
                      <td class="muted">{plural(hosts.length, 'host')}</td>
                      <Numbers counts={c} />
                    </tr>
                    {hosts.map(([host, h]) => (
                      <tr key={`${zone} ${host}`}>
                        <td />
                        <th scope="row" class="cut"><Link href={href('addresses', { zone, host })}><Text>{host}</Text></Link></th>
                        <Numbers counts={h} />
                      </tr>
                    ))}
                  </>
                )
              })}
            </tbody>
            <tfoot>
              <tr><th scope="row">In all</th><td class="muted">{plural(zones.length, 'zone')}</td><Numbers counts={total} /></tr>
            </tfoot>
          </table>
        </div>
      </section>
    </>
  )
}

function Numbers({ counts }: { counts: Counts }) {
  return (
    <>
      <td class="num">{count(counts.available)}</td>
      <td class="num">{count(counts.assigned)}</td>
      <td class="num">{count(counts.cooling)}</td>
      <td class="num">{count(sum(counts))}</td>
    </>
  )
}

function Figure({ name, n, kind }: { name: string; n: number; kind?: string | undefined }) {
  return (
    <div class={`figure ${kind ?? ''}`}>
      <span class="value">{count(n)}</span>
      <span class="name">{kind && kind !== 'low' && <span class={`mark ${kind}`} aria-hidden="true" />}{name}</span>
    </div>
  )
}

const kinds = ['assigned', 'cooling', 'available'] as const

const Legend = () => (
  <p class="legend" aria-hidden="true">
    {kinds.map((k) => <span key={k}><span class={`mark ${k}`} />{k}</span>)}
  </p>
)

/** A bar as long as its addresses are many, in parts. */
function Bar({ counts, of, thin }: { counts: Counts; of: number; thin?: boolean }) {
  const text = kinds.map((k) => `${count(counts[k])} ${k}`).join(', ')
  return (
    <div class={thin ? 'bar thin' : 'bar'} role="img" aria-label={text} title={text}>
      {kinds.map((k) => counts[k] > 0 && (
        <span key={k} class={k} style={{ width: `${Math.max(0.4, (counts[k] / of) * 100)}%` }} />
      ))}
    </div>
  )
}
