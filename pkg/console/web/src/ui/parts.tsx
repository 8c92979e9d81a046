// Small parts that every page is made of. What comes from the server is shown as text, isolated from the direction of the
// text around it.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiError } from '../api'
import { follow } from '../route'
import { fromGregorian, localTime, relative } from '../time'

/** Text from the server. */
export const Text = ({ children, mono }: { children: string | undefined | null; mono?: boolean }) => (
  <bdi class={mono ? 'mono' : undefined} title={children && children.length > 24 ? children : undefined}>
    {children}
  </bdi>
)

export function Link(props: { href: string; class?: string; children: ComponentChildren; current?: boolean; label?: string }) {
  return (
    <a href={props.href} class={props.class} onClick={follow} aria-current={props.current ? 'page' : undefined}
      aria-label={props.label}>
      {props.children}
    </a>
  )
}

export function Button(props: {
  children: ComponentChildren
  onClick?: (() => void) | undefined
  kind?: 'primary' | 'danger' | 'plain' | 'quiet'
  submit?: boolean
  disabled?: boolean | undefined
  busy?: boolean
  label?: string
  pressed?: boolean
  expanded?: boolean
}) {
  return (
    <button
      type={props.submit ? 'submit' : 'button'}
      class={`button ${props.kind ?? 'plain'}`}
      disabled={props.disabled || props.busy}
      aria-busy={props.busy || undefined}
      aria-label={props.label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  )
}

export function Notice({ kind = 'info', children }: { kind?: 'info' | 'error' | 'warn' | 'good'; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
      {children}
    </div>
  )
}

/** What went wrong while something was loaded, with a way to try again. */
export function Failure({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <Notice kind="error">
      <span class="grow">
        <bdi>{error.message}</bdi>
        {error.findings.map((f) => (
          <bdi class="finding" key={f.field + f.code}>{`${f.field}: ${f.message}`}</bdi>
        ))}
      </span>
      {retry && <Button onClick={retry}>Try again</Button>}
    </Notice>
  )
}

export const Loading = ({ what = 'Loading' }: { what?: string }) => (
  <p class="loading" role="status">
    {what}…
  </p>
)

export const Empty = ({ children }: { children: ComponentChildren }) => <div class="empty">{children}</div>

/** The status of an address, as a word beside a mark. */
export function Status({ status, cooling }: { status: string; cooling?: number | undefined }) {
  const cools = cooling !== undefined && fromGregorian(cooling) > new Date()
  const kind = cools ? 'cooling' : status
  return (
    <span class="status">
      <span class={`mark ${kind}`} aria-hidden="true" />
      {cools ? <span title={`until ${localTime(fromGregorian(cooling))}`}>cooling</span> : <bdi>{status}</bdi>}
    </span>
  )
}

export function Time({ at, long }: { at: number; long?: boolean }) {
  const date = fromGregorian(at)
  return (
    <time dateTime={date.toISOString()} title={long ? undefined : relative(date)}>
      {localTime(date)}
      {long && <span class="muted"> · {relative(date)}</span>}
    </time>
  )
}

export function Pairs({ children }: { children: ComponentChildren }) {
  return <dl class="pairs">{children}</dl>
}

export function Pair({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

export interface Loaded<T> {
  data: T | undefined
  error: ApiError | undefined
  loading: boolean
  reload: () => void
}

/** Loads something, and again when one of the inputs changes. What was there stays until the new is. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: ApiError; loading: boolean }>({ loading: true })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    setState((old) => ({ ...old, loading: true }))
    load(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, loading: false }),
      (error) => abort.signal.aborted || setState({ error: asError(error), loading: false }),
    )
    return () => abort.abort()
  }, [...inputs, turn])
  return { data: state.data, error: state.error, loading: state.loading, reload: () => setTurn((n) => n + 1) }
}

export const asError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError(0, error instanceof Error ? error.message : String(error))

/** Sets the title of the document. */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · junctor`
  }, [title])
}

/** Returns a value once it has not changed for a while. */
export function useSettled<T>(value: T, wait = 250): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), wait)
    return () => clearTimeout(timer)
  }, [value, wait])
  return settled
}
