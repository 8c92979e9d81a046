// A table of any length, of which only the rows in view are in the document.
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Failure, Loading } from './parts'
import type { Rows } from './paged'

export interface Column<T> {
  name: string
  class?: string
  cell: (row: T) => ComponentChildren
}

export interface Selection<T> {
  has(row: T): boolean
  toggle(row: T, selected: boolean): void
  all(selected: boolean): void
  state: 'none' | 'some' | 'all'
  label(row: T): string
}

const rowHeight = 34
const spare = 10

export function Table<T>(props: {
  label: string
  rows: Rows<T>
  columns: Column<T>[]
  id: (row: T) => string
  selection?: Selection<T>
  current?: string | undefined
  empty: ComponentChildren
  fit?: boolean // as high as its rows, up to a limit
}) {
  const { rows, columns, selection } = props
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const [, again] = useState({})

  useEffect(() => {
    again({}) // it may have changed before it is followed
    return rows.follow(() => again({}))
  }, [rows])
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    element.scrollTop = 0
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight || 600 })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [rows])

  const length = rows.length()
  const first = Math.max(0, Math.min(Math.floor(view.top / rowHeight) - spare, length - 1))
  const last = Math.min(length, Math.ceil((view.top + view.height) / rowHeight) + spare)
  useEffect(() => rows.show(first, last), [rows, first, last, length])

  const shown = []
  for (let n = first; n < last; n++) {
    const row = rows.at(n)
    const id = row === undefined ? undefined : props.id(row)
    shown.push(
      <tr key={id ?? `row ${n}`} aria-rowindex={n + 2} aria-selected={selection && row ? selection.has(row) : undefined}
        class={id !== undefined && id === props.current ? 'current' : undefined}>
        {selection && (
          <td class="pick">
            {row && (
              <input type="checkbox" aria-label={selection.label(row)} checked={selection.has(row)}
                onChange={(event) => selection.toggle(row, event.currentTarget.checked)} />
            )}
          </td>
        )}
        {row === undefined
          ? <td class="muted">…</td>
          : columns.map((c) => <td key={c.name} class={c.class}>{c.cell(row)}</td>)}
      </tr>,
    )
  }
  const above = first * rowHeight
  const below = (length - last) * rowHeight
  const error = rows.error()
  return (
    <div class={props.fit ? 'table fit' : 'table'}>
      <div class="scroll" ref={box} tabIndex={0} role="region" aria-label={props.label}
        onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}>
        <table aria-label={props.label} aria-rowcount={rows.more() ? -1 : length + 1}>
          <thead>
            <tr aria-rowindex={1}>
              {selection && (
                <th class="pick" scope="col">
                  <input type="checkbox" aria-label="Select all rows that are loaded" checked={selection.state === 'all'}
                    ref={(input) => {
                      if (input) input.indeterminate = selection.state === 'some'
                    }}
                    onChange={(event) => selection.all(event.currentTarget.checked)} />
                </th>
              )}
              {columns.map((c) => <th key={c.name} scope="col" class={c.class}>{c.name}</th>)}
            </tr>
          </thead>
          <tbody>
            {above > 0 && <Spacer height={above} />}
            {shown}
            {below > 0 && <Spacer height={below} />}
          </tbody>
        </table>
        {length === 0 && !error && (rows.more() ? <Loading /> : props.empty)}
        {error && <Failure error={error} retry={() => rows.retry()} />}
      </div>
    </div>
  )
}

/** A row in place of those out of view. It spans one column only, since others may be hidden. */
function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden="true" class="spacer">
      <td style={{ height: `${height}px` }} />
    </tr>
  )
}
