import type { LogEntry, Send, StoredStep } from './history.ts'
import { type HistoryIndex, nameOf, outcomeOf, type Violation } from './history-index.ts'

/** Sends against what is left of them: the log, the rows, the steps. */
export function* checkMessages(index: HistoryIndex): Generator<Violation> {
  for (const log of index.logs.values()) yield* checkNumbers(log)
  for (const [messageId, entries] of index.entries) yield* checkOutcomes(index, messageId, entries)
  for (const [send, messageIds] of index.messageIds) {
    for (const messageId of messageIds) yield* checkEnd(index, send, messageId)
  }
  yield* checkSteps(index)
}

/** Whoever hears a channel knows by its numbers that it missed something, so there is none too few and none twice. */
function* checkNumbers(log: LogEntry[]): Generator<Violation> {
  for (const [place, { channelArn, seq }] of log.entries()) {
    const before = log[place - 1]?.seq ?? 0
    if (seq === before + 1) continue
    yield { rule: 'log', says: `the log of ${channelArn} goes from ${before} to ${seq}` }
  }
}

function* checkOutcomes(index: HistoryIndex, messageId: string, entries: LogEntry[]): Generator<Violation> {
  const name = nameOf(messageId, index.sendOf(messageId))
  const outcomes = entries.filter(({ eventType }) => outcomeOf(eventType))
  const pending = entries.filter(({ eventType }) => eventType === 'PENDING_CREATE_CHANNEL_MESSAGE')
  if (outcomes.length === 0 && pending.length === 0) return
  if (outcomes.length === 0 && !index.isGone(messageId))
    yield { rule: 'outcome', says: `${name} has no outcome in the log: it is still PENDING` }
  if (outcomes.length > 1) {
    const told = outcomes.map(({ seq, eventType }) => `${eventType} at ${seq}`).join(' and ')
    yield { rule: 'outcome', says: `${name} has ${outcomes.length} outcomes in the log: ${told}` }
  }
  if (pending.length > 1) yield { rule: 'pending', says: `${name} is PENDING ${pending.length} times in the log` }
  const [first] = outcomes
  const late = first && pending.find(({ seq }) => seq > first.seq)
  if (late) yield { rule: 'pending', says: `${name} is PENDING at ${late.seq}, after its outcome at ${first.seq}` }
}

/** What must be there of a message that was acknowledged, or that was met without an acknowledgement. */
function* checkEnd(index: HistoryIndex, send: Send, messageId: string): Generator<Violation> {
  const name = nameOf(messageId, send)
  const entries = index.entries.get(messageId) ?? []
  if (entries.length === 0) {
    const known = send.messageIds.includes(messageId) ? 'acknowledged' : 'seen'
    yield { rule: 'lost', says: `${name} was ${known}, but the log of ${send.channelArn} does not have it` }
  }
  if (entries.length > 0 && send.held && !entries.some((entry) => entry.eventType.startsWith('PENDING_'))) {
    yield { rule: 'pending', says: `${name} was held by a flow, but the log never has it as PENDING` }
  }
  for (const { eventType, seq, channelArn } of entries) {
    const outcome = outcomeOf(eventType)
    if (outcome && outcome !== send.outcome) {
      yield { rule: 'outcome', says: `${name} must end as ${send.outcome}, but the log has ${eventType} at ${seq}` }
    }
    if (channelArn !== send.channelArn) yield { rule: 'lost', says: `${name} is in the log of ${channelArn}` }
  }
  yield* checkChange(index, send, messageId)
  yield* checkRow(index, send, messageId)
}

const changeEvents = {
  edit: 'UPDATE_CHANNEL_MESSAGE',
  redact: 'REDACT_CHANNEL_MESSAGE',
  delete: 'DELETE_CHANNEL_MESSAGE',
}
/** Every edit of a run is released. */
const neverExpected = ['DENIED_UPDATE_CHANNEL_MESSAGE', 'FAILED_UPDATE_CHANNEL_MESSAGE']

function* checkChange(index: HistoryIndex, send: Send, messageId: string): Generator<Violation> {
  const name = nameOf(messageId, send)
  const { way, acknowledged, attempts = 1 } = send.change ?? {}
  const expected = way && changeEvents[way]
  const entries = index.entries.get(messageId) ?? []
  if (acknowledged && !entries.some(({ eventType }) => eventType === expected)) {
    yield { rule: 'lost', says: `to ${way} ${name} was acknowledged, but the log has no ${expected}` }
  }
  const others = [...Object.values(changeEvents), ...neverExpected].filter((eventType) => eventType !== expected)
  const other = entries.find(({ eventType }) => others.includes(eventType))
  if (other) yield { rule: 'log', says: `${name} has ${other.eventType} at ${other.seq}, which nobody asked for` }
  const done = entries.filter(({ eventType }) => eventType === expected)
  if (done.length > (way === 'edit' ? attempts : 1))
    yield { rule: 'log', says: `${name} has ${done.length} times ${expected}` }
}

function* checkRow(index: HistoryIndex, send: Send, messageId: string): Generator<Violation> {
  const name = nameOf(messageId, send)
  const rows = index.stored.get(messageId) ?? []
  const text = index.lastText(send, messageId)
  if (text === undefined) {
    if (rows.length > 0) yield { rule: 'lost', says: `${name} must leave no row, but has ${rows.length}` }
    return
  }
  if (rows.length !== 1) yield { rule: 'lost', says: `${name} must have one row at the end, and has ${rows.length}` }
  for (const row of rows) {
    if (row.status !== send.outcome) {
      yield { rule: 'outcome', says: `${name} must end as ${send.outcome}, but its row says ${row.status}` }
    }
    if (row.text !== text) {
      yield { rule: 'text', says: `the row of ${name} says ${JSON.stringify(row.text)}, not ${JSON.stringify(text)}` }
    }
  }
}

/** One token, one message, whatever was said again after whichever crash; a deleted channel's tokens are deleted, too. */
export function* checkTokens(index: HistoryIndex): Generator<Violation> {
  const tokens = new Map<string, string>()
  for (const [send, messageIds] of index.messageIds) {
    const incarnations = new Set([...messageIds].map((messageId) => index.incarnationOf(messageId)))
    incarnations.delete(undefined)
    if (messageIds.size > Math.max(1, incarnations.size)) {
      const made = [...messageIds].join(' and ')
      yield { rule: 'token', says: `token ${send.token} of ${JSON.stringify(send.text)} made ${made}` }
    }
    for (const messageId of new Set(send.messageIds)) {
      const other = tokens.get(messageId)
      if (other) yield { rule: 'token', says: `tokens ${other} and ${send.token} were both answered ${messageId}` }
      tokens.set(messageId, send.token)
    }
  }
}

const open: StoredStep['state'][] = ['DISPATCHING', 'AWAITING']

function* checkSteps(index: HistoryIndex): Generator<Violation> {
  const turns = new Map<string, string>()
  for (const { messageId, revision, position, callbackId, state } of index.history.end.steps) {
    const name = `step ${position} of ${nameOf(messageId, index.sendOf(messageId))}`
    if (open.includes(state)) yield { rule: 'step', says: `${name} is still ${state}` }
    const turn = `${messageId} ${revision} ${position}`
    const other = turns.get(turn)
    if (other) yield { rule: 'step', says: `${name} was opened twice, as ${other} and as ${callbackId}` }
    turns.set(turn, callbackId)
  }
}
