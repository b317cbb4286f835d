import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { appInstanceArn, appInstanceUserArn, channelArn } from '../../src/contract/arn.ts'
import type { Processor } from '../../src/contract/structures/channel-flows.ts'
import { changeOf, type OwnNode, runOf, startRun } from '../../src/flow/decision.ts'
import { type FlowEvent, transition } from '../../src/flow/transition.ts'
import type { AcceptMessage, DecideStep, RecordHandOff } from '../../src/store/changes.ts'
import { stepColumns } from '../../src/store/columns.ts'
import { eventTypeOf, senderOnly } from '../../src/store/message-row.ts'
import type { Reader, Store, Transaction } from '../../src/store/store.ts'
import type { Job, MembershipRow, MessageRow, MessageText, RunRow, StepRow, TokenRow } from '../../src/store/tables.ts'

/*
 * Rows as the API writes them, for tests of the store or of the flow engine without the API. Times count from 0.
 */

export const awsLocation = { region: 'us-east-1', account: '111122223333' }
const appInstance = appInstanceArn(awsLocation, 'test')
export const user = (name: string) => appInstanceUserArn(appInstance, name)
export const channel = (name: string) => channelArn(appInstance, name)

const numbers = new Map<string, number>()

/** The number that stands for the channel or user in the rows of every test. */
export function numberOf(arn: string): number {
  const known = numbers.get(arn) ?? numbers.size + 1
  numbers.set(arn, known)
  return known
}

/** The default channel of every builder, and its members. */
export const lobby = channel('lobby')
export const [ana, ben, ghost] = [user('ana'), user('ben'), user('ghost')]

export const node: OwnNode = { id: 'node-1' }
export const twoDaysMs = 48 * 3_600_000

/** A channel with Ana and Ben in it, and a HIDDEN ghost. */
export async function openChannel(store: Store, channelArn = lobby): Promise<void> {
  await store.transaction(async (transaction) => {
    const head = {
      channel_id: numberOf(channelArn),
      channel_arn: channelArn,
      next_seq: 1,
      last_created_at: 0,
      members: 3,
    }
    await transaction.insert('channel_head', head)
    for (const memberArn of [ana, ben, ghost]) {
      await insertUser(transaction, memberArn)
      await transaction.insert('channel_membership', {
        ...membershipOf(channelArn, memberArn),
        type: memberArn === ghost ? 'HIDDEN' : 'DEFAULT',
      })
    }
  })
}

/** The user's row, unless there is one. */
export const insertUser = (transaction: Transaction, arn: string, userId = numberOf(arn)): Promise<boolean> =>
  transaction.insertOnce('app_instance_user', {
    user_id: userId,
    app_instance_user_arn: arn,
    app_instance_arn: appInstance,
    name: JSON.stringify(arn.split('/').at(-1)),
    memberships: 1,
    created_at: 0,
    updated_at: 0,
  })

/** The columns of a DEFAULT membership that Ana gave. */
export const membershipOf = (channelArn: string, memberArn: string) => ({
  channel_id: numberOf(channelArn),
  member_id: numberOf(memberArn),
  type: 'DEFAULT' as MembershipRow['type'],
  invited_by_arn: ana,
  invited_by_name: '"Ana"',
  read_marker_at: null,
  joined_seq: 0,
  created_at: 0,
  updated_at: 0,
})

/** Bans the user from the channel, both by their ARNs, as the store of a running server has them. */
export async function ban(store: Store, channelArn: string, memberArn: string): Promise<void> {
  const channel = await store.read.get<{ channel_id: number }>(
    'SELECT channel_id FROM channel WHERE channel_arn = $1',
    channelArn,
  )
  const channel_id = channel?.channel_id ?? assert.fail(`there is no channel ${channelArn}`)
  const member_id = await userIdOf(store, memberArn)
  const by = { created_by_arn: ana, created_by_name: '"Ana"', created_at: 0 }
  await store.transaction((transaction) => transaction.insert('channel_ban', { channel_id, member_id, ...by }))
}

/** The number of a user that is not deleted. */
export async function userIdOf({ read }: Store, arn: string): Promise<number> {
  const text = 'SELECT user_id FROM app_instance_user WHERE app_instance_user_arn = $1 AND deleted_at IS NULL'
  return (await read.get<{ user_id: number }>(text, arn))?.user_id ?? assert.fail(`there is no user ${arn}`)
}

/** Users `row-1`, `row-2` and so on of the AppInstance, so many. */
export const addUsers = (store: Store, appInstanceArn: string, count: number): Promise<number> =>
  store.write(
    `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2)
     INSERT INTO app_instance_user (app_instance_user_arn, app_instance_arn, name, memberships, created_at, updated_at)
     SELECT $1 || '/user/row-' || n, $1, '"Row"', 0, 0, 0 FROM numbers`,
    appInstanceArn,
    count,
  )

/** The same AWS Lambda processors as CreateChannelFlow takes them, in order, by function name and FallbackAction. */
export const processors = (...list: [functionName: string, fallbackAction: 'CONTINUE' | 'ABORT'][]): Processor[] =>
  list.map(([functionName, fallbackAction], index) => ({
    Name: functionName,
    Configuration: {
      Lambda: {
        ResourceArn: `arn:aws:lambda:us-east-1:111122223333:function:${functionName}`,
        InvocationType: 'ASYNC' as const,
      },
    },
    ExecutionOrder: index + 1,
    FallbackAction: fallbackAction,
  }))

type NewMessage = Omit<MessageRow, 'seq'>

const messageRow = (given: Partial<NewMessage> = {}): NewMessage => ({
  channel_id: numberOf(given.channel_arn ?? lobby),
  channel_arn: lobby,
  message_id: randomUUID(),
  revision: 1,
  status: 'SENT',
  status_detail: null,
  sender_id: numberOf(given.sender_arn ?? ana),
  sender_arn: ana,
  sender_name: '"Ana"',
  type: 'STANDARD',
  persistence: 'PERSISTENT',
  content: '"hello"',
  metadata: null,
  content_type: null,
  message_attributes_json: null,
  push_notification_json: null,
  target_id: given.target_arn ? numberOf(given.target_arn) : null,
  target_arn: null,
  redacted: 0,
  created_at: 0,
  edited_at: null,
  updated_at: 0,
  update_status: null,
  update_detail: null,
  ...given,
})

/** A message without a flow. */
export function plainMessage(given: Partial<NewMessage> = {}, token?: TokenRow): AcceptMessage {
  const message = messageRow(given)
  const event = { eventType: eventTypeOf(message, 'SENT'), audience: { to: 'members' as const } }
  return { kind: 'AcceptMessage', message, channelFlowArn: undefined, event, token, flow: undefined }
}

export type HeldMessage = AcceptMessage & { flow: { run: RunRow; step: StepRow } }

/** A message that a flow holds, with its run, and its first step owned by this node. */
export function heldMessage(
  given: Partial<NewMessage> = {},
  list = processors(['redact', 'ABORT']),
  { deadlineMs = twoDaysMs, step = {} }: { deadlineMs?: number; step?: Partial<StepRow> } = {},
): HeldMessage {
  const message = messageRow({ status: 'PENDING', ...given })
  const channelFlowArn = `${appInstance}/channel-flow/f`
  const flow = { channelFlowArn, processors: list, deadlineMs }
  const world = { now: message.created_at, newId: randomUUID, random: () => 0 }
  const event = { eventType: eventTypeOf(message, 'PENDING'), audience: senderOnly(message) }
  const started = startRun(message, undefined, flow, node, world)
  return {
    kind: 'AcceptMessage',
    message,
    channelFlowArn: undefined,
    event,
    token: undefined,
    flow: { ...started, step: { ...started.step, ...step } },
  }
}

export const tokenRow = (given: Partial<TokenRow> = {}): TokenRow => ({
  token_key: 'token-1',
  parameters_hash: 'hash',
  answer_json: '{}',
  expires_at: 600_000,
  ...given,
})

/** The step as hot writes know it. */
export const readStep = (read: Reader, callbackId: string): Promise<StepRow | undefined> =>
  read.get<StepRow>(`SELECT channel_arn, ${stepColumns.join(', ')} FROM step_view WHERE callback_id = $1`, callbackId)

/** A step with its run and message, as they are in the store. */
export async function readJob(read: Reader, callbackId: string): Promise<Job> {
  const step = await readStep(read, callbackId)
  const run = await read.get<RunRow>('SELECT * FROM run_view WHERE message_id = $1', step?.message_id ?? '')
  const message = await readMessage(read, step?.message_id ?? '')
  assert.ok(step && run && message, `the step ${callbackId} has a run and a message`)
  return { step, run, message }
}

export const readMessage = (read: Reader, messageId: string): Promise<MessageRow | undefined> =>
  read.get<MessageRow>('SELECT * FROM message_view WHERE message_id = $1', messageId)

/** The write that results from the event and from the step as it was read. */
export function changeAfter(job: Job, event: FlowEvent, now: number): DecideStep | RecordHandOff {
  const result = transition(runOf(job), event, { now, newId: randomUUID, random: () => 0 })
  assert.ok(!('rejection' in result), `${event.type} is rejected`)
  const change = changeOf(job, result, node, now)
  assert.ok(change, `${event.type} writes nothing`)
  return change
}

/** The commit of ChannelFlowCallback for an allow, or a deny, of the step as it was read. */
export function verdictOn(
  job: Job,
  verdict: { deny?: boolean; text?: Partial<MessageText> } = {},
  now = 0,
): DecideStep {
  const change = changeAfter(job, { type: 'Verdict', deny: false, text: {}, ...verdict }, now)
  assert.ok(change.kind === 'DecideStep')
  return { ...change, expectedOwner: undefined }
}

/** Gives the lobby this flow, and its AppInstance the flow that it requires. */
export async function withFlow(
  store: Store,
  channelFlowArn: string | null,
  requiredFlowArn: string | null = null,
): Promise<void> {
  await store.transaction(async (transaction) => {
    const house = { app_instance_arn: '', name: '""', users: 0, created_at: 0, updated_at: 0 }
    await transaction.insertOnce('app_instance', house)
    await transaction.run('UPDATE app_instance SET required_flow_arn = $1', requiredFlowArn)
    await transaction.run('DELETE FROM channel WHERE channel_arn = $1', lobby)
    await transaction.insert('channel', {
      channel_id: numberOf(lobby),
      channel_arn: lobby,
      app_instance_arn: '',
      name: '""',
      mode: 'UNRESTRICTED',
      privacy: 'PUBLIC',
      channel_flow_arn: channelFlowArn,
      created_by_arn: '',
      created_by_name: '""',
      created_at: 0,
      updated_at: 0,
    })
  })
}
