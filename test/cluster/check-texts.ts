import type { Look, Outcome, SeenMessage, Send } from './history.ts'
import { type HistoryIndex, nameOf, outcomeOf, type Violation } from './history-index.ts'

/** Something that somebody was shown, by whichever way. */
interface Sight extends SeenMessage {
  way: string
  isEvent: boolean
  userArn: string
}

/** What was shown to whom: only what was released, and to everybody the same outcome. */
export function* checkTexts(index: HistoryIndex): Generator<Violation> {
  const outcomes = new Map<string, Outcome>()
  for (const [messageId, entries] of index.entries) {
    const outcome = entries.map(({ eventType }) => outcomeOf(eventType)).find((found) => found !== undefined)
    if (outcome) outcomes.set(messageId, outcome)
  }
  for (const sight of sights(index)) {
    yield* checkSight(index, sight)
    const { messageId, status, way, userArn } = sight
    if (status === 'PENDING') continue
    const outcome = outcomes.get(messageId)
    if (outcome === undefined) outcomes.set(messageId, status)
    else if (outcome !== status) {
      const name = nameOf(messageId, index.sendOf(messageId))
      yield { rule: 'outcome', says: `${userArn} saw ${name} as ${status} by ${way}, but it is ${outcome} elsewhere` }
    }
  }
}

const otherStatus: { [eventType: string]: SeenMessage['status'] } = {
  PENDING_CREATE_CHANNEL_MESSAGE: 'PENDING',
  PENDING_UPDATE_CHANNEL_MESSAGE: 'PENDING',
  UPDATE_CHANNEL_MESSAGE: 'SENT',
  REDACT_CHANNEL_MESSAGE: 'SENT',
  DELETE_CHANNEL_MESSAGE: 'SENT',
}

function* sights({ history }: HistoryIndex): Generator<Sight> {
  for (const { userArn, seen, session } of history.periods) {
    for (const { eventType, subject, text } of seen) {
      const status = outcomeOf(eventType) ?? otherStatus[eventType]
      const way = `${eventType} in session ${session}`
      if (status) yield { way, isEvent: true, userArn, messageId: subject, status, text }
    }
  }
  for (const { way, userArn, messages } of history.looks)
    for (const message of messages) yield { ...message, way, isEvent: false, userArn }
}

/**
 * An event that had to be read from the log shows the text as it is in the store by then, since the log has no copy:
 * the sender's PENDING may have what was released meanwhile, and there is no text where no row stays or the update has
 * ended.
 */
function isReadLater(index: HistoryIndex, send: Send, { isEvent, way, status, text, messageId }: Sight): boolean {
  if (!isEvent) return false
  if (text) return status === 'PENDING' && (text === send.released || text === send.change?.released)
  return !index.lastText(send, messageId) || way.startsWith('PENDING_UPDATE')
}

/**
 * The message as its edit or redaction has left it, or the edit as its sender wrote it. While a flow holds the edit, its
 * sender sees the message as PENDING, with the text before it.
 */
function isChanged({ change, released }: Send, { way, isEvent, status, text }: Sight): boolean {
  if (!change) return false
  if (!isEvent && status === 'PENDING') return change.way === 'edit' && text === released
  if (way.startsWith('PENDING_UPDATE')) return text !== undefined && text === change.text
  return status === 'SENT' && (change.way === 'edit' ? text === change.released : !text)
}

const isErasure = (way: string): boolean => /^(REDACT|DELETE)_/.test(way)

function* checkSight(index: HistoryIndex, sight: Sight): Generator<Violation> {
  const { way, userArn, messageId, status, text } = sight
  const send = index.sendOf(messageId)
  const what = `${userArn} saw ${JSON.stringify(text)} as ${status} by ${way}`
  const isSender = userArn === send?.senderArn
  const right = isErasure(way) ? undefined : status === 'SENT' ? send?.released : send?.text
  if (!send) {
    yield { rule: 'text', says: `${what}: nobody sent that (${messageId})` }
  } else if (!isSender && status !== 'SENT') {
    yield { rule: 'text', says: `${what}, which nobody released: it is of ${nameOf(messageId, send)}` }
  } else if (text !== right && !isChanged(send, sight) && !isReadLater(index, send, sight)) {
    const but = isSender ? 'its sender should have read otherwise' : 'nobody released'
    yield { rule: 'text', says: `${what}, which ${but}: it is of ${nameOf(messageId, send)}` }
  }
}

/** Histories: none twice, in the order of sending, and at the end all that there is. */
export function* checkLooks(index: HistoryIndex): Generator<Violation> {
  for (const look of index.history.looks) yield* checkOrder(index, look)
  for (const look of index.history.looks) if (look.whole) yield* checkLast(index, look)
  const whole = index.history.looks.filter((look) => look.whole)
  const found = new Map(whole.map((look) => [`${look.channelArn} ${look.userArn}`, new Set(idsOf(look))]))
  for (const { channelArn, memberArns } of index.channels.values()) {
    for (const userArn of memberArns) {
      if (found.has(`${channelArn} ${userArn}`)) continue
      yield {
        rule: 'list',
        says: `${userArn} never read the whole history of ${channelArn}, so nothing is known of it`,
      }
    }
  }
  for (const [send, messageIds] of index.messageIds) {
    const readers = send.outcome === 'SENT' ? (index.channels.get(send.channelArn)?.memberArns ?? []) : [send.senderArn]
    for (const messageId of messageIds) {
      if (index.lastText(send, messageId) === undefined) continue
      for (const userArn of readers) {
        if (found.get(`${send.channelArn} ${userArn}`)?.has(messageId) !== false) continue
        yield {
          rule: 'lost',
          says: `${nameOf(messageId, send)} is not in the history that ${userArn} reads at the end`,
        }
      }
    }
  }
}

const idsOf = ({ messages }: Look) => messages.map(({ messageId }) => messageId)

/** A history read at the end has no deleted message, and each message as its change has left it. */
function* checkLast(index: HistoryIndex, { messages, userArn }: Look): Generator<Violation> {
  for (const { messageId, text } of messages) {
    const send = index.sendOf(messageId)
    const last = send && index.lastText(send, messageId)
    if (!send || (text ?? '') === last) continue
    const but = last === undefined ? 'it is deleted' : `it is ${JSON.stringify(last)} by then`
    yield { rule: 'text', says: `${userArn} reads ${nameOf(messageId, send)} at the end, but ${but}` }
  }
}

function* checkOrder(index: HistoryIndex, look: Look): Generator<Violation> {
  const where = `in a ${look.way} of ${look.channelArn} by ${look.userArn}`
  const seen = new Set<string>()
  let last = 0
  for (const messageId of idsOf(look)) {
    const name = nameOf(messageId, index.sendOf(messageId))
    if (seen.has(messageId)) yield { rule: 'list', says: `${name} stands twice ${where}` }
    seen.add(messageId)
    const seq = index.entries.get(messageId)?.[0]?.seq ?? last
    if (seq < last) yield { rule: 'list', says: `${name}, number ${seq}, stands behind number ${last} ${where}` }
    last = Math.max(last, seq)
  }
}
