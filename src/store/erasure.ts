import type { Change, DecideStep } from './changes.ts'
import type { Committed } from './store.ts'
import type { MessageRow } from './tables.ts'

/**
 * Whether this commit deletes or replaces a stored text, so that no copy may stay in the write-ahead log. A false positive
 * only costs one checkpoint.
 */
export const erases = (changes: readonly Change[], committed: Pick<Committed, 'events' | 'erasesText'>): boolean =>
  committed.erasesText === true || committed.events.some(({ erasesText }) => erasesText) || changes.some(erasesText)

function erasesText(change: Change): boolean {
  if (change.kind === 'DecideStep') return change.changedBefore || runResultErases(change)
  // Without a flow, the update replaces the text at once.
  return change.kind === 'AcceptUpdate' && change.flow === undefined
}

/**
 * The end of an update deletes the requested text or the text before it, even if both became the same. The end of a new
 * message keeps its text only if that is stored and sent unchanged.
 */
const runResultErases = ({ run, runResult, message }: DecideStep): boolean =>
  runResult !== undefined &&
  (run.revision > 1 ||
    !(runResult.message && hasText(runResult.message, message) && hasText(runResult.message, runResult.shown)))

const hasText = (one: MessageRow, other: MessageRow): boolean =>
  one.content === other.content &&
  one.metadata === other.metadata &&
  one.message_attributes_json === other.message_attributes_json &&
  one.push_notification_json === other.push_notification_json
