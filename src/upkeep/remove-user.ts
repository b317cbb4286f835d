import { removeMember } from '../api/channel-memberships/channel-membership.ts'
import { ban, moderator } from '../api/channel-role.ts'
import { ApiError } from '../contract/api-error.ts'
import type { Transaction } from '../store/store.ts'
import { cursorOf, type Kind, type PieceEnd, pieceRowsMax, sessionsAfterMs } from './kind.ts'

/**
 * Maximum of memberships in one piece. The heads of their channels are locked until its end, so sends to these channels
 * wait; on PostgreSQL each membership takes five round trips.
 */
const membershipsMax = 25
/** The cursor: the next step, and the last channel of the previous piece. */
interface Cursor {
  step: 'memberships' | 'roles' | 'sessions'
  after: number
}

/**
 * Removes what belonged to a deleted user: memberships, each with its event; moderator roles and bans; sessions, and its
 * name. The row stays, because messages name their sender.
 */
export const removeUser = (announceChange: (userArn: string) => void): Kind => ({
  kind: 'remove-user',
  done: 'the memberships and roles of a deleted user are removed',
  async piece(transaction, work, now) {
    const userId = Number(work.subject)
    const { step, after } = cursorOf<Cursor>(work) ?? { step: 'memberships', after: 0 }
    if (step === 'memberships') return removeMemberships(transaction, userId, after, now)
    if (step === 'roles') return removeRoles(transaction, userId, now)
    const userArn = await removeName(transaction, userId)
    return { state: 'done', afterCommit: () => announceChange(userArn) }
  },
})

const next = (step: Cursor['step'], after = 0): PieceEnd => ({ state: 'more', cursor: { step, after } })

async function removeMemberships(
  transaction: Transaction,
  member_id: number,
  after: number,
  now: number,
): Promise<PieceEnd> {
  // Locks the user's row, as every addition or removal of a member does: no other transaction removes these
  // memberships.
  await transaction.run('UPDATE app_instance_user SET memberships = memberships WHERE user_id = $1', member_id)
  const memberships = await transaction.all<{ channel_id: number }>(
    `SELECT channel_id FROM membership_view WHERE member_id = $1 AND channel_id > $2 ORDER BY channel_id LIMIT $3`,
    member_id,
    after,
    membershipsMax,
  )
  for (const { channel_id } of memberships) await removeUnlessDeleted(transaction, { channel_id, member_id }, now)
  const last = memberships.at(-1)
  return last ? next('memberships', last.channel_id) : next('roles')
}

/** A channel that was deleted in the meantime has no members: its purge deletes their rows. */
async function removeUnlessDeleted(
  transaction: Transaction,
  membership: { channel_id: number; member_id: number },
  now: number,
): Promise<void> {
  try {
    await removeMember(transaction, membership, now)
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'Forbidden')) throw error
  }
}

async function removeRoles(transaction: Transaction, userId: number, now: number): Promise<PieceEnd> {
  let removed = 0
  for (const { table, userColumn } of [moderator, ban]) {
    removed += await transaction.run(
      `DELETE FROM ${table} WHERE ${userColumn} = $1
         AND channel_id IN (SELECT channel_id FROM ${table} WHERE ${userColumn} = $1 LIMIT $2)`,
      userId,
      pieceRowsMax - removed,
    )
  }
  if (removed === pieceRowsMax) return next('roles')
  return { state: 'later', dueAt: now + sessionsAfterMs, cursor: { step: 'sessions', after: 0 } }
}

/** Returns the ARN. */
async function removeName(transaction: Transaction, userId: number): Promise<string> {
  const text = `UPDATE app_instance_user SET name = '""', metadata = NULL WHERE user_id = $1
    RETURNING app_instance_user_arn`
  transaction.erasesText()
  const user = await transaction.get<{ app_instance_user_arn: string }>(text, userId)
  return user?.app_instance_user_arn ?? ''
}
