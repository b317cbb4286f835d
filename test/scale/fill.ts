import type { Record } from './record.ts'

/*
 * A large store, made in seconds: rows as the operations would have written them. What has no column here is null or has
 * its default, so this follows the schema only where a column is required.
 */

export interface Sizes {
  users: number
  channels: number
  /** Of one channel. One of a hundred is HIDDEN. */
  members: number
  /** Of one user, who moderates all of them. */
  memberships: number
  bans: number
}

/** Who and what the calls are about; made by calls of the API. */
export interface Stage {
  appInstanceArn: string
  adminArn: string
  /** The one with many memberships. */
  busyArn: string
  /** The one with many members and bans. */
  crowdArn: string
  channelFlowArn: string
}

const filledAt = 1_700_000_000_000

/** `n` from 1 to $1. */
const numbers =
  'WITH RECURSIVE numbers (n) AS (SELECT CAST($1 AS BIGINT) - CAST($1 AS BIGINT) + 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)'

export async function fillStore(record: Record, stage: Stage, sizes: Sizes): Promise<void> {
  await fillUsers(record, stage, sizes.users)
  await fillChannels(record, stage, sizes.channels)
  await fillBusyUser(record, stage, sizes.memberships)
  await fillCrowd(record, stage, sizes)
}

async function fillUsers(record: Record, { appInstanceArn }: Stage, users: number): Promise<void> {
  await record.run(
    `${numbers} INSERT INTO app_instance_user (app_instance_user_arn, app_instance_arn, name, memberships, created_at, updated_at)
     SELECT $2 || '/user/filled-' || n, $2, '"Filled"', 0, ${filledAt}, ${filledAt} FROM numbers`,
    users,
    appInstanceArn,
  )
  await record.run('UPDATE app_instance SET users = users + $1 WHERE app_instance_arn = $2', users, appInstanceArn)
}

/** One of ten is PUBLIC, and all have the flow. */
async function fillChannels(record: Record, stage: Stage, channels: number): Promise<void> {
  const { appInstanceArn, adminArn, channelFlowArn } = stage
  await record.run(
    `${numbers} INSERT INTO channel_head (channel_arn, next_seq, last_created_at, last_message_at, members)
     SELECT $2 || '/channel/filled-' || n, 2, ${filledAt} + n, ${filledAt} + n, 0 FROM numbers`,
    channels,
    appInstanceArn,
  )
  await record.run(
    `INSERT INTO channel (channel_id, channel_arn, app_instance_arn, name, mode, privacy, channel_flow_arn,
       created_by_arn, created_by_name, created_at, updated_at)
     SELECT channel_id, channel_arn, $1, '"Filled"', 'UNRESTRICTED',
       CASE WHEN channel_id % 10 = 0 THEN 'PUBLIC' ELSE 'PRIVATE' END, $2, $3, '"Admin"', ${filledAt}, ${filledAt}
     FROM channel_head WHERE channel_arn LIKE $1 || '/channel/filled-%'`,
    appInstanceArn,
    channelFlowArn,
    adminArn,
  )
}

async function fillBusyUser(record: Record, { adminArn, busyArn }: Stage, memberships: number): Promise<void> {
  const channels = `(SELECT channel_id FROM channel WHERE channel_arn LIKE '%/channel/filled-%'
    ORDER BY channel_id LIMIT $1) AS chosen`
  await record.run(
    `INSERT INTO channel_membership (channel_id, member_id, type, invited_by_arn, invited_by_name, joined_seq,
       created_at, updated_at)
     SELECT channel_id, user_id, 'DEFAULT', $3, '"Admin"', 1, ${filledAt}, ${filledAt}
     FROM app_instance_user CROSS JOIN ${channels} WHERE app_instance_user_arn = $2`,
    memberships,
    busyArn,
    adminArn,
  )
  await record.run(
    `INSERT INTO channel_moderator (channel_id, moderator_id, created_by_arn, created_by_name, created_at)
     SELECT channel_id, user_id, $3, '"Admin"', ${filledAt}
     FROM app_instance_user CROSS JOIN ${channels} WHERE app_instance_user_arn = $2`,
    memberships,
    busyArn,
    adminArn,
  )
  await record.run(
    `UPDATE channel_head SET members = members + 1 WHERE channel_id IN
       (SELECT channel_id FROM channel_membership JOIN app_instance_user ON user_id = member_id
        WHERE app_instance_user_arn = $1)`,
    busyArn,
  )
  const counted = 'UPDATE app_instance_user SET memberships = memberships + $1 WHERE app_instance_user_arn = $2'
  await record.run(counted, memberships, busyArn)
}

async function fillCrowd(record: Record, { adminArn, crowdArn }: Stage, { members, bans }: Sizes): Promise<void> {
  const users = (order: string) => `(SELECT user_id FROM app_instance_user
    WHERE app_instance_user_arn LIKE '%/user/filled-%' ORDER BY user_id ${order} LIMIT $1) AS chosen`
  await record.run(
    `INSERT INTO channel_membership (channel_id, member_id, type, invited_by_arn, invited_by_name, joined_seq,
       created_at, updated_at)
     SELECT channel_id, user_id, CASE WHEN user_id % 100 = 0 THEN 'HIDDEN' ELSE 'DEFAULT' END, $3, '"Admin"', 1,
       ${filledAt}, ${filledAt}
     FROM channel CROSS JOIN ${users('ASC')} WHERE channel_arn = $2`,
    members,
    crowdArn,
    adminArn,
  )
  await record.run('UPDATE channel_head SET members = members + $1 WHERE channel_arn = $2', members, crowdArn)
  await record.run(
    `UPDATE app_instance_user SET memberships = 1 WHERE user_id IN
       (SELECT user_id FROM ${users('ASC')}) AND CAST($2 AS TEXT) IS NOT NULL`,
    members,
    crowdArn,
  )
  await record.run(
    `INSERT INTO channel_ban (channel_id, member_id, created_by_arn, created_by_name, created_at)
     SELECT channel_id, user_id, $3, '"Admin"', ${filledAt}
     FROM channel CROSS JOIN ${users('DESC')} WHERE channel_arn = $2`,
    bans,
    crowdArn,
    adminArn,
  )
}

/**
 * Puts so many messages into the channel, which has none. Their ids are in no order, as those of the server: a purge in
 * the order of the numbers meets another page of the index with each message.
 */
export async function fillHistory(record: Record, channelArn: string, messages: number): Promise<void> {
  const channel = await record.all<{ channel_id: number; next_seq: number; user_id: number }>(
    `SELECT channel.channel_id, next_seq, user_id FROM channel
     JOIN channel_head ON channel_head.channel_id = channel.channel_id
     JOIN app_instance_user ON app_instance_user_arn = created_by_arn WHERE channel.channel_arn = $1`,
    channelArn,
  )
  for (const { channel_id, next_seq, user_id } of channel) {
    await record.run(
      `${numbers} INSERT INTO channel_message (channel_id, message_id, seq, revision, status, sender_id, sender_name, type,
         persistence, content, redacted, created_at, updated_at)
       SELECT $2, 'filled-' || (n * 2654435761 % 4294967296), $3 + n, 1, 'SENT', $4, '"Admin"', 'STANDARD', 'PERSISTENT',
         '"a message as long as messages are on the average, more or less"', 0, ${filledAt} + n, ${filledAt} + n
       FROM numbers`,
      messages,
      channel_id,
      next_seq,
      user_id,
    )
    await record.run('UPDATE channel_head SET next_seq = next_seq + $1 + 1 WHERE channel_id = $2', messages, channel_id)
  }
}
