// A line over days.
import { useState } from 'preact/hooks'
import { count } from '../time'

export interface Point {
  name: string
  value: number
}

const width = 460
const height = 190
const left = 44
const right = 8
const top = 10
const bottom = 24

/** Returns round numbers that divide the values into a few steps. */
function ticks(low: number, high: number): number[] {
  const span = Math.max(1, high - low)
  const raw = span / 3
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? raw)
  const list = []
  for (let n = Math.floor(low / step) * step; n <= high + step * 0.999; n += step) list.push(n)
  return list
}

export function Line({ points }: { points: Point[] }) {
  const [at, setAt] = useState<number>()
  if (points.length < 2) return <p class="muted">Not enough days yet.</p>
  const values = points.map((p) => p.value)
  const marks = ticks(Math.min(...values), Math.max(...values))
  const low = marks[0]!
  const high = Math.max(marks.at(-1)!, low + 1)
  const x = (n: number) => left + (n / (points.length - 1)) * (width - left - right)
  const y = (v: number) => height - bottom - ((v - low) / (high - low)) * (height - top - bottom)
  const line = points.map((p, n) => `${n ? 'L' : 'M'}${x(n).toFixed(1)} ${y(p.value).toFixed(1)}`).join('')
  const area = `${line}L${x(points.length - 1)} ${y(low)}L${x(0)} ${y(low)}Z`
  const first = points[0]!
  const last = points.at(-1)!
  const shown = at === undefined ? last : points[at]!
  const label = `Assigned addresses from ${first.name} to ${last.name}: ${count(first.value)} at first, ` +
    `${count(last.value)} at last, between ${count(Math.min(...values))} and ${count(Math.max(...values))}`
  return (
    <figure class="line">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect()
          const part = (((event.clientX - box.left) / box.width) * width - left) / (width - left - right)
          setAt(Math.max(0, Math.min(points.length - 1, Math.round(part * (points.length - 1)))))
        }}
        onPointerLeave={() => setAt(undefined)}>
        {marks.map((m) => (
          <g key={m}>
            <line class="grid" x1={left} x2={width - right} y1={y(m)} y2={y(m)} />
            <text class="tick" x={left - 6} y={y(m) + 4} text-anchor="end">{count(m)}</text>
          </g>
        ))}
        <text class="tick" x={left} y={height - 6}>{first.name.slice(5)}</text>
        <text class="tick" x={width - right} y={height - 6} text-anchor="end">{last.name.slice(5)}</text>
        <path class="area" d={area} />
        <path class="stroke" d={line} />
        <circle class="dot" r="3.5" cx={x(at ?? points.length - 1)} cy={y(shown.value)} />
      </svg>
      <figcaption class="num"><strong>{count(shown.value)}</strong> <span class="muted">assigned on {shown.name}</span></figcaption>
    </figure>
  )
}
