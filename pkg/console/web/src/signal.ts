// A value that components can follow.
import { useEffect, useState } from 'preact/hooks'

export interface Signal<T> {
  get(): T
  set(value: T): void
  follow(listener: () => void): () => void
}

export function signal<T>(value: T): Signal<T> {
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      if (next === value) return
      value = next
      for (const listener of [...listeners]) listener()
    },
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Renders the component again when the value changes. */
export function useSignal<T>(s: Signal<T>): T {
  const [, again] = useState({})
  const value = s.get()
  useEffect(() => {
    if (s.get() !== value) again({}) // it changed before this component followed it
    return s.follow(() => again({}))
  }, [s])
  return value
}
