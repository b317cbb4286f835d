import assert from 'node:assert/strict'
import { traceDays } from '../../src/api/app-instances/flow-policy.ts'
import { dayMs } from '../../src/api/times.ts'
import type { StepRow } from '../../src/store/tables.ts'
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

onBothEngines(
  'each AppInstance keeps its logs and timelines for as many days as its tag says, and no message goes',
  async (world) => {
    const days = { shorter: 5, longer: 60, untagged: traceDays }
    const channels: [channelId: number, days: number][] = []
    for (const [name, kept] of Object.entries(days)) {
      const { AppInstanceArn } = await world.call('CreateAppInstance', { Name: name })
      world.appInstanceArn = AppInstanceArn
      for (const id of ['ana', 'ben']) await world.createUser(id)
      await world.createChannel('lounge')
      // More than one piece deletes.
      await world.fill('lounge', 100, { held: true })
      channels.push([await world.channelId('lounge'), kept])
      const Tags = [{ Key: 'carillon:trace-days', Value: String(kept) }]
      if (name !== 'untagged') await world.call('TagResource', { ResourceARN: AppInstanceArn, Tags })
    }
    for (const step of await openSteps(world)) await allow(world, step)
    const startedAt = world.clock.now()
    for (const passed of [4, 6, 29, 31, 59, 61]) {
      world.clock.advance(startedAt + passed * dayMs - world.clock.now())
      await world.look()
      for (const [channelId, kept] of channels) {
        const left = passed < kept ? 100 : 0
        for (const table of ['flow_run', 'flow_step']) {
          assert.equal(
            await world.count(table, 'channel_id = $1', channelId),
            left,
            `${table} after ${passed} of ${kept} days`,
          )
        }
        assert.equal((await world.count('channel_log', 'channel_id = $1', channelId)) > 0, left > 0)
        assert.equal(await world.count('channel_message', 'channel_id = $1', channelId), 100)
      }
    }
  },
)

onBothEngines('without the tag, or with it removed, the default counts again', async (world) => {
  const ResourceARN = world.appInstanceArn
  await world.createChannel('lounge')
  await world.fill('lounge', 1)
  await world.call('TagResource', { ResourceARN, Tags: [{ Key: 'carillon:trace-days', Value: '1' }] })
  await world.call('UntagResource', { ResourceARN, TagKeys: ['carillon:trace-days'] })
  world.clock.advance(2 * dayMs)
  await world.look()
  assert.ok((await world.count('channel_log')) > 0)
  world.clock.advance(traceDays * dayMs)
  await world.look()
  assert.equal(await world.count('channel_log'), 0)
})
