import assert from 'node:assert/strict'
import { ApiError } from '../../contract/api-error.ts'
import { endingOf } from '../../flow/decision.ts'
import type { DecideStep } from '../../store/changes.ts'
import { findHeld } from '../../store/step-rows.ts'
import type { Transaction } from '../../store/store.ts'
import type { Job } from '../../store/tables.ts'
import type { Context } from '../context.ts'

/*
 * A ban makes the held messages of the user in the channel FAILED. It ends their steps, so no later callback counts on any
 * node, and the hot writes need no further guard.
 *
 * The transaction of the ban ends all messages that are still held, so none is released afterwards. It numbers their events
 * before the event of the leave, so that the sender receives them. 10,000 messages in one transaction would block other
 * writes for 0.4 s, so all but the last piece end before it.
 */

/** Maximum of messages in one commit: 11 ms of the event loop. */
const pieceMax = 250
/** Maximum of pieces before the ban: together more than the maximum of messages that wait for a processor. */
const piecesMax = 400
/** Maximum of messages that the transaction of the ban ends: one piece, and messages sent during the previous one. */
const lastPieceMax = 1_000
/** Maximum of repetitions for messages that verdicts have moved to the next processor: more than a flow has processors. */
const roundsMax = 5

/** A user in a channel. */
interface Sender {
  channelId: number
  senderId: number
}

/** Ends messages in pieces until the rest of them is one piece. */
export async function failAllButOnePiece({ channelId, senderId }: Sender, context: Context): Promise<void> {
  for (let pieces = 0; pieces < piecesMax; pieces += 1) {
    const held = await findHeld(context.read, channelId, senderId, pieceMax)
    if (held.length < pieceMax) return
    await Promise.all(held.map((job) => context.store.commit(failing(job, context))))
  }
}

/**
 * Ends the remaining messages within the transaction, during which the user cannot send. A concurrent verdict may commit
 * first: then the message is released before the ban, or is at its next processor.
 */
export async function failHeld(
  transaction: Transaction,
  { channelId, senderId }: Sender,
  context: Context,
): Promise<void> {
  for (let rounds = 0; rounds < roundsMax; rounds += 1) {
    const held = await findHeld(transaction, channelId, senderId, lastPieceMax)
    if (held.length === lastPieceMax) break
    const outcomes = await transaction.decide(held.map((job) => failing(job, context)))
    if (outcomes.every(({ result }) => result === 'decided')) return
  }
  throw new ApiError('ServiceUnavailable', 'The user has more messages in processing than can be stopped at once')
}

function failing(job: Job, context: Context): DecideStep {
  const stopped = { type: 'Stopped', by: 'ban', reason: 'The sender was banned from the channel' } as const
  const change = endingOf(job, stopped, context.node, { ...context, now: context.now() })
  assert(change, 'an open step can be stopped')
  return change
}
