import assert from 'node:assert/strict'
import { ApiError } from '../../contract/api-error.ts'
import { changeOf, runOf } from '../../flow/decision.ts'
import { transition } from '../../flow/transition.ts'
import type { DecideStep } from '../../store/changes.ts'
import type { Transaction } from '../../store/store.ts'
import type { Turn } from '../../store/tables.ts'
import { findHeld } from '../../store/turns.ts'
import type { Context } from '../context.ts'

/*
 * What flows hold of a user that is banned from the channel ends FAILED. The flag that stops a verdict is the state of the
 * step: it is over, so no callback counts, on no node. Hence a hot write asks nothing more of a message than before.
 *
 * The transaction of the ban ends what is held at that moment, so that nothing is released from then on, and numbers the
 * events before the one of the leave, so that the sender receives them. To end 10,000 messages in one transaction would stop
 * everything else for half a second: all but the last piece is ended before it.
 */

/** How many messages share a commit at most: 11 ms of the event loop. */
const pieceMax = 250
/** How many pieces there are before the ban: more than the messages that wait for a processor at any time. */
const piecesMax = 400
/** How many messages the transaction of the ban ends at most: one piece, and what the user has sent during the one before. */
const lastPieceMax = 1_000

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
    await Promise.all(held.map((turn) => context.store.commit(failing(turn, context))))
  }
}

/** Ends all that is left, within the transaction. */
export async function failHeld(
  transaction: Transaction,
  { channelId, senderId }: Sender,
  context: Context,
): Promise<void> {
  const held = await findHeld(transaction, channelId, senderId, lastPieceMax)
  if (held.length === lastPieceMax) {
    throw new ApiError('ServiceUnavailable', 'The user sends more messages than can be stopped at once; try again')
  }
  const outcomes = await transaction.decide(held.map((turn) => failing(turn, context)))
  assert(outcomes.every(({ result }) => result === 'decided'))
}

function failing(turn: Turn, context: Context): DecideStep {
  const now = context.now()
  const stopped = { type: 'Stopped', reason: 'The sender was banned from the channel' } as const
  const result = transition(runOf(turn), stopped, { ...context, now })
  assert('run' in result, 'an open step can be stopped')
  const change = changeOf(turn, result, context.node, now)
  assert(change?.kind === 'DecideStep', 'a step that is stopped is decided')
  return { ...change, heldBy: undefined }
}
