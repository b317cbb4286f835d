import { setTimeout } from 'node:timers/promises'
import type { Janitor } from '../../bench/system/janitor.ts'
import { type Api, channelPath } from '../../bench/wire/calls.ts'
import { processor } from './calls.ts'
import type { Stage } from './fill.ts'
import type { LoopPause } from './loop-pause.ts'
import type { Record } from './record.ts'
import { type Place, ScaleServer } from './server.ts'

/** How many calls of the sender are in flight. */
const inFlight = 4
/** Sends before the flow is required, and after the background work has ended. */
const besideMs = 1_000
/** How long the background work may take in all. */
const attachMsMax = 600_000
const lookEveryMs = 100

interface Sent {
  messageId: string
  began: number
  ended: number
  status: string
}

export interface RequiredFlow {
  /** While messages are sent, and nothing else is done. */
  pauseBefore: LoopPause
  pause: LoopPause
  /** Of sends meanwhile. */
  sends: number[]
  attachMs: number
  /** Messages that were sent after the tag was set, by what is wrong with them. */
  wrong: Map<string, number>
  /** How many messages were sent before the tag, at its time, and after it. */
  counts: [before: number, across: number, after: number]
  /** Channels without the flow in their rows, in the end. */
  left: number
}

/** A flow becomes required while messages are sent to many channels, half of which have another flow and half none. */
export async function requireFlow(
  place: Place,
  stage: Stage,
  open: () => Promise<Record>,
  janitor: Janitor,
): Promise<RequiredFlow> {
  await using record = await open()
  await record.run(
    `UPDATE channel SET channel_flow_arn = NULL WHERE channel_id % 2 = 0 AND channel_arn LIKE $1 || '/channel/filled-%'`,
    stage.appInstanceArn,
  )
  const channels = await channelsOf(record, stage.busyArn)
  await using server = await ScaleServer.start(place, janitor)
  const flowArn = await createFlow(server.api, stage.appInstanceArn)
  const over = new AbortController()
  const sent: Sent[] = []
  const sender = sendUntil(over.signal, server.api, stage.busyArn, channels, sent)
  // The first sends pay for code that is not compiled yet.
  await setTimeout(besideMs)
  await server.longestPause()
  await setTimeout(besideMs)
  const pauseBefore = await server.longestPause()
  const began = performance.now()
  await tag(server.api, stage.appInstanceArn, flowArn)
  const tagged = performance.now()
  const attached = await untilAttached(record).finally(() => setTimeout(besideMs).then(() => over.abort()))
  await sender
  const pause = await server.longestPause()
  await server.stop()

  const flows = await flowsOfMessages(record)
  const after = sent.filter((message) => message.began > tagged)
  const before = sent.filter((message) => message.ended < began)
  return {
    pauseBefore,
    pause,
    sends: sent.map((message) => message.ended - message.began),
    attachMs: attached - tagged,
    wrong: wrongOf(after, flows, flowArn),
    counts: [before.length, sent.length - before.length - after.length, after.length],
    left: await leftOf(record, stage.appInstanceArn, flowArn),
  }
}

/** A message that was sent after the tag must be held by the required flow. */
function wrongOf(after: Sent[], flows: Map<string, string>, flowArn: string): Map<string, number> {
  const wrong = new Map<string, number>()
  for (const { messageId, status } of after) {
    const heldBy = flows.get(messageId)
    const problem = heldBy === undefined ? 'held by no flow' : heldBy === flowArn ? undefined : 'held by another flow'
    const found = problem ?? (status === 'PENDING' ? undefined : `returned as ${status}`)
    if (found !== undefined) wrong.set(found, (wrong.get(found) ?? 0) + 1)
  }
  return wrong
}

async function createFlow(api: Api, AppInstanceArn: string): Promise<string> {
  const body = { AppInstanceArn, Name: 'required', Processors: [processor], ClientRequestToken: 'required' }
  const call = { method: 'POST', path: '/channel-flows', body }
  return (await api.output<{ ChannelFlowArn: string }>(call)).ChannelFlowArn
}

function tag(api: Api, ResourceARN: string, Value: string): Promise<unknown> {
  const body = { ResourceARN, Tags: [{ Key: 'carillon:required-flow', Value }] }
  return api.output({ method: 'POST', path: '/tags', query: 'operation=tag-resource', body })
}

async function sendUntil(over: AbortSignal, api: Api, bearer: string, channels: string[], sent: Sent[]): Promise<void> {
  let next = 0
  const send = async () => {
    while (!over.aborted) {
      const channelArn = channels[next++ % channels.length]!
      const began = performance.now()
      const ClientRequestToken = `required-${next}-${began}`.replaceAll('.', '-')
      const body = { Content: 'meanwhile', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken }
      const call = { method: 'POST', path: `${channelPath(channelArn)}/messages`, bearer, body }
      const { MessageId, Status } = await api.output<{ MessageId: string; Status: { Value: string } }>(call)
      sent.push({ messageId: MessageId, began, ended: performance.now(), status: Status.Value })
    }
  }
  await Promise.all(Array.from({ length: inFlight }, send))
}

async function channelsOf(record: Record, userArn: string): Promise<string[]> {
  const rows = await record.all<{ channel_arn: string }>(
    `SELECT channel.channel_arn FROM app_instance_user JOIN channel_membership ON member_id = user_id
     JOIN channel ON channel.channel_id = channel_membership.channel_id
     WHERE app_instance_user_arn = $1 ORDER BY channel.channel_id`,
    userArn,
  )
  return rows.map(({ channel_arn }) => channel_arn)
}

/** Resolves to the time when the background work has ended. */
async function untilAttached(record: Record): Promise<number> {
  const from = performance.now()
  const sql = "SELECT subject FROM work WHERE kind = 'attach-flow'"
  while ((await record.all(sql)).length > 0) {
    if (performance.now() - from > attachMsMax) throw new Error(`channels are left after ${attachMsMax} ms`)
    await setTimeout(lookEveryMs)
  }
  return performance.now()
}

async function flowsOfMessages(record: Record): Promise<Map<string, string>> {
  const rows = await record.all<{ message_id: string; channel_flow_arn: string }>(
    'SELECT message_id, channel_flow_arn FROM flow_run',
  )
  return new Map(rows.map((row) => [row.message_id, row.channel_flow_arn]))
}

async function leftOf(record: Record, appInstanceArn: string, flowArn: string): Promise<number> {
  const [row] = await record.all<{ n: number }>(
    `SELECT count(*) AS n FROM channel WHERE app_instance_arn = $1 AND coalesce(channel_flow_arn, '') <> $2`,
    appInstanceArn,
    flowArn,
  )
  return row?.n ?? 0
}
