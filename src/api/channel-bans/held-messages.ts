import assert from 'node:assert/strict'
import { ApiError } from '../../contract/api-error.ts'
import { changeOf, runOf } from '../../flow/decision.ts'
import { transition } from '../../flow/transition.ts'
import type { DecideStep } from '../../store/changes.ts'
import { findHeld } from '../../store/step-rows.ts'
import type { Transaction } from '../../store/store.ts'
import type { Job } from '../../store/tables.ts'
import type { Context } from '../context.ts'

/*
 * What flows hold of a user that is banned from the channel ends FAILED. The flag that stops a verdict is the state of the
 * step: it is over, so no callback counts, on no node. Hence a hot write asks nothing more of a message than before.
 *
 * The transaction of the ban ends all that is held at that moment, so nothing is released from then on, and numbers the
 * events before the one of the leave, so the sender receives them. 10,000 messages in one transaction would block other
 * writes for 0.4 s, so all but the last piece are ended before it.
 */

/** How many messages share a commit at most: 11 ms of the event loop. */
const pieceMax = 250
/** How many pieces there are before the ban: more than the messages that wait for a processor at any time. */
const piecesMax = 400
/** How many messages the transaction of the ban ends at most: one piece, and what the user has sent during the one before. */
const lastPieceMax = 1_000
/** How often the transaction looks again for what a verdict has passed on to the next processor: no flow has so many. */
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
 * Ends all that is left, within the transaction, in which the user can send nothing more. A verdict that comes at the same
 * time may win: then the message is released before the ban, or its next processor has it.
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
  const now = context.now()
  const stopped = { type: 'Stopped', reason: 'The sender was banned from the channel' } as const
  const result = transition(runOf(job), stopped, { ...context, now })
  assert('run' in result, 'an open step can be stopped')
  const change = changeOf(job, result, context.node, now)
  assert(change?.kind === 'DecideStep', 'a step that is stopped is decided')
  return { ...change, expectedOwner: undefined }
}
