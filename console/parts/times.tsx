import { useEffect } from 'react'
import { useWatched, Watched } from '../watched.ts'

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
  const nowSeconds = useNow() / 1000
  const at = since ?? until ?? nowSeconds
  const date = new Date(at * 1000)
  return (
    <time dateTime={date.toISOString()} title={exact.format(date)}>
      {durationText(since === undefined ? at - nowSeconds : nowSeconds - at)}
    </time>
  )
}

/** One timer for all ages on a page: a list has hundreds. It stops when none is shown. */
const seconds = new Watched(Date.now())
let timer: ReturnType<typeof setInterval> | undefined
let watchers = 0

/** The time, in milliseconds since the epoch, once a second. */
export function useNow(): number {
  useEffect(() => {
    watchers += 1
    timer ??= setInterval(() => seconds.set(Date.now()), 1_000)
    return () => {
      watchers -= 1
      if (watchers > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }, [])
  return useWatched(seconds)
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
