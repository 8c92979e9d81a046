// Where in the console the browser is: one segment of the path, and the query, which can be shared and reloaded.
import { signal, useSignal } from './signal'

export interface Route {
  view: string
  query: Record<string, string>
}

/** The path of the console, such as /console/, also below a prefix. */
const root = new URL('.', location.href).pathname

function read(): Route {
  return {
    view: location.pathname.slice(root.length),
    query: Object.fromEntries(new URLSearchParams(location.search)),
  }
}

const route = signal(read())
addEventListener('popstate', () => route.set(read()))

export const useRoute = () => useSignal(route)

/** Returns the URL of a view. Empty values are left out. */
export function href(view: string, query: Record<string, string | undefined> = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value) search.set(name, value)
  const text = search.toString()
  return root + view + (text ? '?' + text : '')
}

/** Goes to a URL of the console; with replace it takes the place of the present one in the browser's history. */
export function go(url: string, replace = false) {
  history[replace ? 'replaceState' : 'pushState'](null, '', url)
  route.set(read())
}

/** Follows a link inside the console without loading the page again. */
export function follow(event: MouseEvent) {
  const link = event.currentTarget as HTMLAnchorElement
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  go(link.getAttribute('href') ?? root)
}
