import { stepIsOpen } from './steps.ts'
import type { Reader } from './store.ts'

/** A message or an update that a flow holds. */
export interface HeldStep {
  channel_id: number
  channel_arn: string
  app_instance_arn: string
  callback_id: string
  message_id: string
  revision: number
  state: 'DISPATCHING' | 'AWAITING'
  function_arn: string
  owner: string
  shard: number
  due_at: number
  deadline_at: number
  /** When the message was accepted. */
  accepted_at: number
  sender_arn: string
}

/** In the order of the index of open steps, which is the only one that does not have every message that was ever sent. */
export type HeldPosition = readonly [owner: string, shard: number, dueAt: number, channelId: number, callbackId: string]

export const firstHeldPosition: HeldPosition = ['', -1, 0, 0, '']

export const heldPositionOf = (row: HeldStep): HeldPosition => [
  row.owner,
  row.shard,
  row.due_at,
  row.channel_id,
  row.callback_id,
]

export interface HeldFilter {
  functionName?: string | undefined
  channelArn?: string | undefined
  /** Within this AppInstance. */
  appInstanceArn?: string | undefined
  /** Accepted at this time or before. */
  acceptedBefore?: number | undefined
}

/** Held messages after this position, at most `rowsMax`. A step whose time changes meanwhile may come twice, or not. */
export function listHeld(read: Reader, filter: HeldFilter, after: HeldPosition, rowsMax: number): Promise<HeldStep[]> {
  const { functionName, channelArn, appInstanceArn, acceptedBefore } = filter
  return read.all<HeldStep>(
    `SELECT step.channel_id, head.channel_arn, channel.app_instance_arn, step.callback_id, step.message_id, step.revision,
       step.state, step.function_arn, step.owner, step.shard, step.due_at, step.deadline_at,
       run.created_at AS accepted_at, sender.app_instance_user_arn AS sender_arn
     FROM flow_step AS step
     JOIN channel_head AS head ON head.channel_id = step.channel_id AND head.deleted_at IS NULL
     JOIN channel ON channel.channel_id = step.channel_id
     JOIN flow_run AS run ON run.channel_id = step.channel_id AND run.message_id = step.message_id
       AND run.revision = step.revision
     JOIN channel_message AS message ON message.channel_id = step.channel_id AND message.message_id = step.message_id
     JOIN app_instance_user AS sender ON sender.user_id = message.sender_id
     WHERE step.${stepIsOpen} AND (step.owner, step.shard, step.due_at, step.channel_id, step.callback_id) > ($1, $2, $3, $4, $5)
       AND ($6 = '' OR step.function_arn || ':' LIKE $6 ESCAPE '!')
       AND ($7 = '' OR head.channel_arn = $7) AND ($8 = '' OR channel.app_instance_arn = $8)
       AND run.created_at <= $9
     ORDER BY step.owner, step.shard, step.due_at, step.channel_id, step.callback_id LIMIT $10`,
    ...after,
    functionName === undefined ? '' : `%:function:${functionName.replaceAll(/[!%_]/g, '!$&')}:%`,
    channelArn ?? '',
    appInstanceArn ?? '',
    acceptedBefore ?? Number.MAX_SAFE_INTEGER,
    rowsMax,
  )
}
