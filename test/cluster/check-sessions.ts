import type { LogEntry, Period, SeenEvent } from './history.ts'
import { type HistoryIndex, nameOf, outcomeOf, type Violation } from './history-index.ts'

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
 * so was every event behind it. The stretch reaches to the end of the log unless the session was lost before.
 */
function* checkHeard(index: HistoryIndex, period: Period, { channelArn, heard, meant }: Heard): Generator<Violation> {
  const { session, userArn, establishedAt, closedAt } = period
  const where = `session ${session} of ${userArn}, established at ${establishedAt}`
  const tell = (event: Pick<LogEntry, 'eventType' | 'subject'>) =>
    `${event.eventType} of ${nameOf(event.subject, index.sendOf(event.subject))}`
  const places = new Map(meant.map((entry, place) => [keyOf(entry), place]))
  const found = new Set<number>()
  const due = meant.findIndex(({ createdAt }) => createdAt > establishedAt)
  let first = due === -1 ? meant.length : due
  let last = -1
  for (const event of heard) {
    const place = places.get(keyOf(event))
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
