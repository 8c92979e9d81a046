// What has been done, said once: on the screen for a while, and to a screen reader.
import { useEffect } from 'preact/hooks'
import { signal, useSignal } from '../signal'

const said = signal('')

export const say = (text: string) => said.set(text)

export function Toast() {
  const text = useSignal(said)
  useEffect(() => {
    if (!text) return
    const timer = setTimeout(() => said.set(''), 8000)
    return () => clearTimeout(timer)
  }, [text])
  return <div class={text ? 'toast' : 'toast none'} role="status" aria-live="polite"><bdi>{text}</bdi></div>
}
