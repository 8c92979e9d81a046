// Rows of a listing that the server gives in pages, read as they come into view. Pages far from view are dropped, and read
// again by their start key, so that memory stays bounded however long the listing is.
import type { Envelope, Query } from '../api'
import { ApiError, get } from '../api'
import { asError } from './parts'

interface Page<T> {
  start: string | undefined
  offset: number
  length: number
  rows: T[] | undefined
}

const firstPage = 100
const nextPages = 500
const pagesHeld = 24

export interface Rows<T> {
  /** How many rows are known of. */
  length(): number
  /** Whether there are more. */
  more(): boolean
  /** A row, undefined while it is not here. */
  at(index: number): T | undefined
  /** Says which rows are in view. */
  show(from: number, to: number): void
  error(): ApiError | undefined
  loading(): boolean
  retry(): void
  follow(listener: () => void): () => void
}

export class Paged<T> implements Rows<T> {
  private pages: Page<T>[] = []
  private next: string | undefined
  private ended = false
  private failure: ApiError | undefined
  private busy = false
  private view: [number, number] = [0, 0]
  private listeners = new Set<() => void>()
  private abort = new AbortController()

  constructor(private path: string, private query: Query, private read: (row: T) => T = (row) => row) {
    void this.work()
  }

  length() {
    const last = this.pages.at(-1)
    return last ? last.offset + last.length : 0
  }
  more = () => !this.ended
  error = () => this.failure
  loading = () => this.busy

  at(index: number): T | undefined {
    const page = this.pages[this.find(index)]
    return page?.rows?.[index - page.offset]
  }

  /** Replaces rows that the server has returned anew; undefined removes the row from view until the listing is read again. */
  replace(match: (row: T) => boolean, row: T) {
    for (const page of this.pages) {
      const at = page.rows?.findIndex(match) ?? -1
      if (page.rows && at >= 0) page.rows[at] = row
    }
    this.changed()
  }

  /** Calls f with each row that is here. */
  each(f: (row: T) => void) {
    for (const page of this.pages) page.rows?.forEach(f)
  }

  show(from: number, to: number) {
    this.view = [from, to]
    void this.work()
  }

  retry() {
    this.failure = undefined
    void this.work()
  }

  close() {
    this.abort.abort()
    this.listeners.clear()
  }

  follow(listener: () => void) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private changed() {
    for (const listener of [...this.listeners]) listener()
  }

  private find(index: number): number {
    let low = 0
    let high = this.pages.length - 1
    while (low <= high) {
      const mid = (low + high) >> 1
      const page = this.pages[mid]!
      if (index < page.offset) high = mid - 1
      else if (index >= page.offset + page.length) low = mid + 1
      else return mid
    }
    return -1
  }

  /** Returns the page to read: one in view that was dropped, or the next if the end is near. */
  private wanted(): Page<T> | undefined {
    const [from, to] = this.view
    for (let n = Math.max(0, this.find(from)); n < this.pages.length && this.pages[n]!.offset <= to; n++) {
      if (!this.pages[n]!.rows) return this.pages[n]
    }
    if (this.ended || (this.pages.length && to + 100 < this.length())) return undefined
    return { start: this.next, offset: this.length(), length: 0, rows: undefined }
  }

  private async work() {
    if (this.busy || this.failure) return
    const page = this.wanted()
    if (!page) return
    this.busy = true
    try {
      const size = page.offset === 0 ? firstPage : nextPages
      const query = { ...this.query, page_size: size, start_key: page.start }
      const envelope: Envelope<T[]> = await get<T[]>(this.path, query, this.abort.signal)
      page.rows = envelope.data.map(this.read)
      if (!this.pages.includes(page)) {
        page.length = page.rows.length
        this.pages.push(page)
        this.next = envelope.next_start_key
        this.ended = !this.next
      } else if (page.rows.length > page.length) {
        page.rows.length = page.length // rows that were created meanwhile
      }
      this.drop()
    } catch (error) {
      if (this.abort.signal.aborted) return
      this.failure = asError(error)
    } finally {
      this.busy = false
    }
    this.changed()
    void this.work()
  }

  private drop() {
    const [from] = this.view
    const held = this.pages.filter((p) => p.rows)
    if (held.length <= pagesHeld) return
    held.sort((a, b) => Math.abs(b.offset - from) - Math.abs(a.offset - from))
    for (const page of held.slice(0, held.length - pagesHeld)) page.rows = undefined
  }
}

/** Rows that are all here. */
export function fixed<T>(rows: T[]): Rows<T> {
  return {
    length: () => rows.length,
    more: () => false,
    at: (index) => rows[index],
    show() {},
    error: () => undefined,
    loading: () => false,
    retry() {},
    follow: () => () => {},
  }
}

/** Reads a listing to its end, page by page. */
export async function* everyPage<T>(path: string, query: Query, signal?: AbortSignal): AsyncGenerator<T[]> {
  let start: string | undefined
  do {
    const page = await get<T[]>(path, { ...query, page_size: 1000, start_key: start }, signal)
    yield page.data
    start = page.next_start_key
  } while (start)
}
