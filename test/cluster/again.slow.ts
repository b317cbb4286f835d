import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { natsUrl, withoutNats } from '../support/nats-server.ts'
import { dropDatabase, freshDatabase, noPostgres } from '../support/postgres-server.ts'
import { sign } from '../support/smithy-signer.ts'
import { until } from '../support/until.ts'
import { type ClusterServer, ClusterStage, heardOf } from './cluster-server.ts'
import { Lobby } from './lobby.ts'

/** Calls `again`. */
async function orderAgain({ endpoint, credentials }: ClusterServer, messageId: string) {
  const { host, origin } = new URL(endpoint.http)
  const target = `/carillon/v1/messages/${messageId}?operation=again`
  const { headers } = await sign(
    { method: 'POST', target, headers: { host }, body: '{}' },
    { credentials, signingDate: new Date() },
  )
  const response = await fetch(origin + target, { method: 'POST', headers, body: '{}' })
  const body = JSON.parse(await response.text())
  return response.status === 200 ? body.Result : body.Code
}

suite('on two nodes, an operator hands a message to its processor again', { skip: noPostgres || withoutNats }, () => {
  test('by the node that does not own the step: that one invokes the processor, and the first verdict wins', async (context) => {
    const databaseUrl = await freshDatabase()
    const stage = await ClusterStage.set(context, databaseUrl)
    context.after(() => dropDatabase(databaseUrl))
    const [a, b] = await stage.startTwo(await natsUrl(context))
    const { processors } = stage
    const lobby = await Lobby.open(a)
    await lobby.attachFlow(a, ['first'])
    const session = await b.session(lobby.member)
    const release = processors.hold()
    context.after(release)
    const ids = [await lobby.send(a, 'one'), await lobby.send(b, 'two')]
    for (const [index, messageId] of ids.entries()) {
      const [owner, other] = index === 0 ? [a, b] : [b, a]
      const event = await processors.next(messageId)
      // The hand-off is written a second later. Until then the message seems to wait for a place.
      await until(async () => (await orderAgain(other, messageId)) === 'HANDED_AGAIN')
      const again = await processors.next(messageId)
      assert.equal(again.CallbackId, event.CallbackId)
      if (index === 0) await lobby.allow(owner, again)
      else await lobby.deny(owner, again)
      await assert.rejects(lobby.deny(other, event), index === 0 ? /non-pending/ : /./)
    }
    // What the first node had in memory ends, and changes nothing.
    release()
    const heard = await heardOf(session, 4)
    assert.deepEqual(heard.toSorted(), [
      `CREATE_CHANNEL_MESSAGE of ${ids[0]}`,
      `DENIED_CREATE_CHANNEL_MESSAGE of ${ids[1]}`,
      ...ids.map((messageId) => `PENDING_CREATE_CHANNEL_MESSAGE of ${messageId}`).toSorted(),
    ])
    for (const node of [a, b]) assert.deepEqual(await lobby.history(node), ['one'])
  })
})
