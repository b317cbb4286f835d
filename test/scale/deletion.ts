import { setTimeout } from 'node:timers/promises'
import type { Janitor } from '../../bench/system/janitor.ts'
import { type Api, channelPath } from '../../bench/wire/calls.ts'
import { timeSends } from './calls.ts'
import { fillHistory, type Stage } from './fill.ts'
import type { LoopPause } from './loop-pause.ts'
import type { Record } from './record.ts'
import { type Place, ScaleServer } from './server.ts'

/** How long a purge may take in all. */
const purgeMsMax = 600_000
const lookEveryMs = 200
/** Rows that stay for good: the head, since the numbers of a channel that is made again go on from there. */
const kept = ['channel_head']
/** Rows that stay for an hour, for a node that has missed the deletion. */
const keptForAWhile = ['channel_log']

export interface Deletion {
  answeredMs: number
  /** Of sends beside the purge. */
  sends: number[]
  /** Of the first server, and of the second. */
  pauses: LoopPause[]
  purgeMs: number
  /** What was left when the server was killed half-way, and what was left in the end, by table. */
  leftWhenKilled: number
  left: Map<string, number>
}

/** A channel with a long history is deleted; the server is killed half-way through the purge, and another one goes on. */
export async function deleteLongHistory(
  place: Place,
  stage: Stage,
  messages: number,
  open: () => Promise<Record>,
  janitor: Janitor,
): Promise<Deletion> {
  const channelArn = await createLong(place, stage, messages, open, janitor)
  const from = performance.now()
  await using first = await ScaleServer.start(place, janitor)
  await using record = await open()
  const channelId = await idOf(record, channelArn)
  await first.longestPause()
  const began = performance.now()
  await remove(first.api, channelArn, stage.adminArn)
  const answeredMs = performance.now() - began
  const middle = (await firstOf(record, channelId)) + messages / 2
  const half = until(async () => (await firstOf(record, channelId)) > middle)
  const sends = await timeSends(first.api, stage.crowdArn, stage.adminArn, half)
  await half
  const pauses = [await first.longestPause()]
  await first.kill()
  const leftWhenKilled = await messagesOf(record, channelId)

  await using second = await ScaleServer.start(place, janitor)
  await second.longestPause()
  const over = until(
    async () =>
      (await firstOf(record, channelId)) === Number.POSITIVE_INFINITY && (await left(record, channelId)).size === 0,
  )
  sends.push(...(await timeSends(second.api, stage.crowdArn, stage.adminArn, over)))
  await over.catch(() => {})
  pauses.push(await second.longestPause())
  return {
    answeredMs,
    sends,
    pauses,
    purgeMs: performance.now() - from,
    leftWhenKilled,
    left: await left(record, channelId),
  }
}

async function createLong(
  place: Place,
  { appInstanceArn, adminArn }: Stage,
  messages: number,
  open: () => Promise<Record>,
  janitor: Janitor,
): Promise<string> {
  await using server = await ScaleServer.start(place, janitor)
  const body = { AppInstanceArn: appInstanceArn, Name: 'long', ChannelId: 'long', ClientRequestToken: 'long' }
  const call = { method: 'POST', path: '/channels', body, bearer: adminArn }
  const { ChannelArn } = await server.api.output<{ ChannelArn: string }>(call)
  await server.stop()
  await using record = await open()
  await fillHistory(record, ChannelArn, messages)
  return ChannelArn
}

const remove = (api: Api, channelArn: string, bearer: string) =>
  api.output({ method: 'DELETE', path: channelPath(channelArn), bearer })

async function idOf(record: Record, channelArn: string): Promise<number> {
  const sql = 'SELECT channel_id FROM channel WHERE channel_arn = $1'
  const [row] = await record.all<{ channel_id: number }>(sql, channelArn)
  if (!row) throw new Error(`there is no channel ${channelArn}`)
  return row.channel_id
}

/**
 * The number of the first message that is left. A purge deletes them in order, and a count of all would keep the server
 * from copying its write-ahead log as long as it takes.
 */
async function firstOf(record: Record, channelId: number): Promise<number> {
  const sql = 'SELECT min(seq) AS seq FROM channel_message WHERE channel_id = $1'
  const [row] = await record.all<{ seq: number | null }>(sql, channelId)
  return row?.seq ?? Number.POSITIVE_INFINITY
}

async function messagesOf(record: Record, channelId: number): Promise<number> {
  const sql = 'SELECT count(*) AS n FROM channel_message WHERE channel_id = $1'
  const [row] = await record.all<{ n: number }>(sql, channelId)
  return row?.n ?? 0
}

/** The rows of the channel that should be gone, by table. */
async function left(record: Record, channelId: number): Promise<Map<string, number>> {
  const tables = (await record.tablesWith('channel_id')).filter((table) => ![...kept, ...keptForAWhile].includes(table))
  const counts = new Map<string, number>()
  for (const table of tables) {
    const [row] = await record.all<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE channel_id = $1`, channelId)
    if (row && row.n > 0) counts.set(table, row.n)
  }
  return counts
}

/** Resolves when it is so. Rejects if that takes too long. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const from = performance.now()
  while (!(await isSo())) {
    if (performance.now() - from > purgeMsMax) throw new Error(`the purge is not over after ${purgeMsMax} ms`)
    await setTimeout(lookEveryMs)
  }
}
