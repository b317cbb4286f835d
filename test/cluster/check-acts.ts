import type { Act } from './history.ts'
import type { HistoryIndex, Violation } from './history-index.ts'

const keyOf = ({ channelArn, eventType, subject }: Act) => `${channelArn} ${eventType} ${subject}`

/** Each acknowledged join, leave and deletion of a channel is in its log. */
export function* checkActs({ history }: HistoryIndex): Generator<Violation> {
  const logged = Map.groupBy(history.end.log, keyOf)
  for (const [key, acts] of Map.groupBy(history.acts, keyOf)) {
    const times = logged.get(key)?.length ?? 0
    if (times >= acts.length) continue
    const { eventType, subject, channelArn } = acts[0] as Act
    const acknowledged = `${eventType} of ${subject} was acknowledged ${acts.length} times`
    yield { rule: 'lost', says: `${acknowledged}, but is ${times} times in the log of ${channelArn}` }
  }
}
