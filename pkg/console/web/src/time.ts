// Kazoo counts seconds since the year 0 of the Gregorian calendar.
const epoch = 62167219200

export const fromGregorian = (seconds: number) => new Date((seconds - epoch) * 1000)
export const toGregorian = (date: Date) => Math.floor(date.getTime() / 1000) + epoch

const two = (n: number) => String(n).padStart(2, '0')

/** 2026-11-27 14:03:09, in the time zone of the browser. */
export function localTime(date: Date): string {
  if (Number.isNaN(date.getTime())) return ''
  return `${localDay(date)} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

export const localDay = (date: Date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`

/** The value of an input of the type datetime-local. */
export const inputTime = (date: Date) => `${localDay(date)}T${two(date.getHours())}:${two(date.getMinutes())}`

export const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** 3 minutes ago, in 2 days. */
export function relative(date: Date, now = Date.now()): string {
  const seconds = Math.round((date.getTime() - now) / 1000)
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]] as const) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit)
  }
  return format.format(seconds, 'second')
}

const number = new Intl.NumberFormat('en')
export const count = (n: number) => number.format(n)
export const plural = (n: number, one: string, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`
