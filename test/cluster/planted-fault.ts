import type { History, LogEntry, Send } from './history.ts'
import type { Violation } from './history-index.ts'

/** Makes one thing wrong in a history; answers false where the history has no place for it. */
export interface PlantedFault {
  name: string
  rule: Violation['rule']
  says: RegExp
  plant(history: History, pick: number): boolean
}

export const one = <T>(list: T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)]
export const acknowledged = ({ sends }: History, is: (send: Send) => boolean) =>
  sends.filter((send) => send.messageIds.length > 0 && is(send))
export const idOf = (send: Send) => send.messageIds[0]!

export function remove<T>(list: T[], is: (item: T) => boolean): void {
  for (let index = list.length - 1; index >= 0; index--) if (is(list[index]!)) list.splice(index, 1)
}

/** Takes entries out of the logs, and lets those behind move up. */
export function removeFromLog({ end }: History, is: (entry: LogEntry) => boolean): void {
  remove(end.log, is)
  renumber(end.log)
}

export function renumber(log: LogEntry[]): void {
  for (const entries of Map.groupBy(log, ({ channelArn }) => channelArn).values()) {
    for (const [place, entry] of entries.entries()) entry.seq = place + 1
  }
}
