import assert from 'node:assert/strict'
import type { Store } from '../../src/store/store.ts'
import { channel, heldMessage, openChannel } from './rows.ts'

/** Messages go to these channels in turn. */
export const backlogChannels = Array.from({ length: 100 }, (_, index) => channel(`backlog-${index}`))
/** How many are accepted at once: the store has a limit. */
const atOnce = 5_000

/** Accepts so many messages for one function. Returns the CallbackIds of each channel, in the order of its messages. */
export async function acceptBacklog(store: Store, messages: number): Promise<string[][]> {
  for (const one of backlogChannels) await openChannel(store, one)
  const ids: string[][] = backlogChannels.map(() => [])
  for (let done = 0; done < messages; done += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, messages - done) }, async (_, index) => {
      const place = (done + index) % backlogChannels.length
      // Each a millisecond after the one before: their deadlines tell their order.
      const held = heldMessage({ channel_arn: backlogChannels[place]!, created_at: done + index })
      ids[place]!.push(held.flow.step.callback_id)
      assert.equal((await store.commit(held)).result, 'accepted')
    })
    await Promise.all(some)
  }
  return ids
}
