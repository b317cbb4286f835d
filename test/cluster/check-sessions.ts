import type { LogEntry, Period, SeenEvent } from './history.ts'
import { type HistoryIndex, nameOf, outcomeOf, type Violation } from './history-index.ts'
import { missableStays } from './membership.ts'

/** What sessions heard, against the logs of their channels. */
export function* checkSessions(index: HistoryIndex): Generator<Violation> {
  for (const period of index.history.periods) {
    const byChannel = Map.groupBy(period.seen, ({ channelArn }) => channelArn)
    for (const channelArn of new Set([...index.logs.keys(), ...byChannel.keys()])) {
      const heard = byChannel.get(channelArn) ?? []
      yield* checkHeard(index, period, { channelArn, heard, meant: index.meantFor(channelArn, period.userArn) })
    }
    yield* checkPendingFirst(index, period)
  }
}

interface Heard {
  channelArn: string
  heard: SeenEvent[]
  /** The channel's log as the user is to hear it. */
  meant: LogEntry[]
}

const keyOf = ({ eventType, subject }: Pick<LogEntry, 'eventType' | 'subject'>) => `${eventType} ${subject}`

/**
 * What was heard of a channel must be one stretch of its log. The stretch begins no later than with the first event
 * made after the session was established: a time is taken before its commit, so that one was committed later still, and
 * so was every event behind it. The stretch reaches to the end of the log unless the session was lost before. A stay that
 * could not be known of may be left out.
 */
function checkHeard(index: HistoryIndex, period: Period, part: Heard): Violation[] {
  let { meant } = part
  let best = bestReading(index, period, part)
  if (best.length === 0) return best
  for (const stay of missableStays(meant, period.userArn, index.history.troubles)) {
    const rest = meant.filter((entry) => !stay.includes(entry))
    const reading = bestReading(index, period, { ...part, meant: rest })
    if (reading.length >= best.length) continue
    best = reading
    meant = rest
  }
  return best
}

/** Where the first event is in the log several times, it is the one that explains the most of the rest. */
function bestReading(index: HistoryIndex, period: Period, part: Heard): Violation[] {
  const places = new Map<string, number[]>()
  for (const [place, entry] of part.meant.entries()) {
    const key = keyOf(entry)
    const known = places.get(key)
    if (known) known.push(place)
    else places.set(key, [place])
  }
  const [first] = part.heard
  const starts = (first && places.get(keyOf(first))) ?? [undefined]
  const readings = starts.map((start) => [...checkFrom(index, period, { ...part, places, start })])
  return readings.reduce((best, reading) => (reading.length < best.length ? reading : best))
}

interface Reading extends Heard {
  /** Where the log has what. */
  places: Map<string, number[]>
  /** Where it has the first event that was heard. */
  start: number | undefined
}

function* checkFrom(
  index: HistoryIndex,
  period: Period,
  { channelArn, heard, meant, places, start }: Reading,
): Generator<Violation> {
  const { session, userArn, establishedAt, closedAt } = period
  const where = `session ${session} of ${userArn}, established at ${establishedAt}`
  const tell = (event: Pick<LogEntry, 'eventType' | 'subject'>) =>
    `${event.eventType} of ${nameOf(event.subject, index.sendOf(event.subject))}`
  const found = new Set<number>()
  const due = meant.findIndex(({ createdAt }) => createdAt > establishedAt)
  let first = due === -1 ? meant.length : due
  let last = -1
  for (const [turn, event] of heard.entries()) {
    const all = places.get(keyOf(event)) ?? []
    const next = turn === 0 ? start : all.find((place) => place > last)
    const place = next ?? all.find((other) => !found.has(other)) ?? all[0]
    if (place === undefined) {
      yield {
        rule: 'session',
        says: `${where}, heard ${tell(event)}, which ${channelArn} has not or not for this user`,
      }
      continue
    }
    const { seq } = meant[place] as LogEntry
    if (found.has(place)) yield { rule: 'session', says: `${where}, heard ${tell(event)}, number ${seq}, twice` }
    else if (place < last) {
      const after = (meant[last] as LogEntry).seq
      yield { rule: 'session', says: `${where}, heard ${tell(event)}, number ${seq}, after number ${after}` }
    }
    found.add(place)
    first = Math.min(first, place)
    last = Math.max(last, place)
  }
  const end = closedAt === undefined ? meant.length : last
  for (let place = first; place < end; place++) {
    const missed = meant[place] as LogEntry
    if (found.has(place)) continue
    yield { rule: 'session', says: `${where}, never heard ${tell(missed)}, number ${missed.seq} of ${channelArn}` }
  }
}

function* checkPendingFirst(index: HistoryIndex, { session, userArn, seen }: Period): Generator<Violation> {
  const ended = new Set<string>()
  for (const { eventType, subject } of seen) {
    if (outcomeOf(eventType)) ended.add(subject)
    if (eventType !== 'PENDING_CREATE_CHANNEL_MESSAGE' || !ended.has(subject)) continue
    const name = nameOf(subject, index.sendOf(subject))
    yield { rule: 'pending', says: `session ${session} of ${userArn} heard the outcome of ${name} before its PENDING` }
  }
}
