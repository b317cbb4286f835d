import assert from 'node:assert/strict'
import { dayMs } from '../../src/api/times.ts'
import { recordAct } from '../../src/store/audit.ts'
import { auditKeptDays } from '../../src/upkeep/forget-audit.ts'
import { onBothEngines, type World } from './world.ts'

const record = (world: World, count: number) =>
  world.store.transaction(async (transaction) => {
    const act = { at: world.clock.now(), accessKeyId: 'AKIAOPERATOR', action: 'carillon:CreateKey', facts: {} }
    for (let row = 0; row < count; row++) await recordAct(transaction, act)
  })

onBothEngines('acts are kept for their days, and then deleted in pieces', async (world) => {
  await record(world, 600)
  world.clock.advance(dayMs)
  await record(world, 1)
  world.clock.advance((auditKeptDays - 1) * dayMs)
  await world.look()
  assert.equal(await world.count('audit'), 601)
  world.clock.advance(dayMs)
  await world.look()
  assert.equal(await world.count('audit'), 1)
})
