import { useEffect, useState } from 'react'

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })
const timeOnly = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** A time in the reader's zone, the exact one on hover. */
export function Time({ seconds }: { seconds: number }) {
  const date = new Date(seconds * 1000)
  const isToday = date.toDateString() === new Date().toDateString()
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0')
  return (
    <time dateTime={date.toISOString()} title={`${exact.format(date)}, and ${milliseconds} ms`}>
      {(isToday ? timeOnly : dayAndTime).format(date)}
    </time>
  )
}

/** How long ago, or with `until` how long still. It is always current. */
export function Age({ since, until }: { since?: number; until?: number }) {
  const nowSeconds = useNow(1_000) / 1000
  const at = since ?? until ?? nowSeconds
  const date = new Date(at * 1000)
  return (
    <time dateTime={date.toISOString()} title={exact.format(date)}>
      {durationText(since === undefined ? at - nowSeconds : nowSeconds - at)}
    </time>
  )
}

/** The time, read again at this interval. */
export function useNow(intervalMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), intervalMs)
    return () => clearInterval(timer)
  }, [intervalMs])
  return now
}

export function durationText(seconds: number): string {
  if (seconds < 0) return '0 s'
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.floor(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} days`
}
