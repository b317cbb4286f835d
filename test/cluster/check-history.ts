import { checkActs } from './check-acts.ts'
import { checkMessages, checkTokens } from './check-messages.ts'
import { checkSessions } from './check-sessions.ts'
import { checkLooks, checkTexts } from './check-texts.ts'
import type { History } from './history.ts'
import { HistoryIndex, type Violation } from './history-index.ts'

/**
 * All that is wrong with a history. Nothing acknowledged is lost; each message has one outcome, in the log and in
 * everybody's eyes; nobody saw what was not released to them; no history shows a message twice or out of order; a
 * session that stayed open heard all that was meant for it in the order of the log; PENDING comes before its outcome; a
 * token makes one message; every step is over.
 */
export function checkHistory(history: History): Violation[] {
  const index = new HistoryIndex(history)
  return [checkMessages, checkTokens, checkActs, checkTexts, checkLooks, checkSessions].flatMap((check) => [
    ...check(index),
  ])
}
