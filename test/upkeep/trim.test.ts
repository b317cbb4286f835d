import assert from 'node:assert/strict'
import { dayMs } from '../../src/api/times.ts'
import type { StepRow } from '../../src/store/tables.ts'
import { traceDays } from '../../src/upkeep/trim.ts'
import { readJob, verdictOn } from '../support/rows.ts'
import { onBothEngines, type World } from './world.ts'

/** Allows the message of this step. */
async function allow(world: World, step: StepRow): Promise<void> {
  const job = await readJob(world.store.read, step.callback_id)
  await world.store.commit(verdictOn(job, {}, world.clock.now()))
}

const openSteps = (world: World) =>
  world.store.read.all<StepRow>(`SELECT * FROM flow_step WHERE state IN ('DISPATCHING', 'AWAITING')`)

onBothEngines('old events are deleted, with ended runs and steps; messages stay', async (world) => {
  await world.createChannel('lounge')
  await world.createChannel('quiet')
  await world.fill('lounge', 70, { held: true })
  const [still, ...steps] = await openSteps(world)
  for (const step of steps) await allow(world, step)
  await world.fill('lounge', 100)
  world.clock.advance(traceDays * dayMs)
  await world.look()
  assert.equal(await world.count('flow_run'), 70, 'nothing is old enough')
  await allow(world, still as StepRow)
  await world.fill('lounge', 2, { held: true })
  world.clock.advance(dayMs)
  await world.look()
  const lounge = await world.channelId('lounge')
  assert.equal(await world.count('channel_message'), 172)
  assert.equal(await world.count('channel_log', 'channel_id = $1', lounge), 3, 'the last verdict, and two messages')
  assert.equal(await world.count('channel_log', 'channel_id <> $1', lounge), 0)
  assert.deepEqual([await world.count('flow_run'), await world.count('flow_step')], [3, 3])
  assert.equal(await world.count('flow_run', 'message_id = $1', (still as StepRow).message_id), 1, 'it has just ended')
  world.clock.advance(traceDays * dayMs)
  await world.look()
  assert.deepEqual([await world.count('flow_run'), await world.count('flow_step')], [2, 2], 'two wait for a verdict')
})

onBothEngines('trimming that is interrupted continues from its cursor', async (world) => {
  await world.createChannel('lounge')
  await world.fill('lounge', 150)
  world.clock.advance(traceDays * dayMs + 1)
  await world.lookUntil('trim', 2)
  const left = await world.count('channel_log')
  assert.ok(left > 0 && left < 100, String(left))
  await world.look()
  assert.equal(await world.count('channel_log'), 0)
})
