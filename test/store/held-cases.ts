import assert from 'node:assert/strict'
import { findHeld } from '../../src/store/step-rows.ts'
import { ana, ben, channel, heldMessage, lobby, numberOf, openChannel, readJob, verdictOn } from '../support/rows.ts'
import type { Cases } from './store-suite.ts'

const held = (senderArn: string, owner = 'node-1', channelArn = lobby) =>
  heldMessage(
    {
      channel_id: numberOf(channelArn),
      channel_arn: channelArn,
      sender_id: numberOf(senderArn),
      sender_arn: senderArn,
    },
    undefined,
    { step: { owner } },
  )

export const heldCases: Cases = {
  async 'the held messages of one sender in one channel are found, with any owner'({ store }) {
    for (const arn of [lobby, channel('elsewhere')]) await openChannel(store, arn)
    const sent = [held(ana), held(ana, 'node-2'), held(ana, ''), held(ana, 'node-3')]
    const over = held(ana, 'node-2')
    const others = [held(ben), held(ben, ''), held(ana, 'node-1', channel('elsewhere'))]
    await Promise.all([...sent, over, ...others].map((change) => store.commit(change)))
    await store.commit(verdictOn(await readJob(store.read, over.flow.step.callback_id)))

    const find = (turnsMax: number) => findHeld(store.read, numberOf(lobby), numberOf(ana), turnsMax)
    const found = await find(10)
    const ids = sent.map(({ flow }) => flow.step.callback_id)
    assert.deepEqual(found.map(({ step }) => step.callback_id).sort(), ids.toSorted())
    for (const job of found) {
      assert.deepEqual(job, structuredClone(await readJob(store.read, job.step.callback_id)))
    }
    assert.equal((await find(3)).length, 3)
    assert.deepEqual(await findHeld(store.read, numberOf(lobby), numberOf(channel('unknown')), 10), [])
  },
}
