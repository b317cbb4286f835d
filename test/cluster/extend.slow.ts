import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { natsUrl, withoutNats } from '../support/nats-server.ts'
import { dropDatabase, freshDatabase, noPostgres } from '../support/postgres-server.ts'
import { sign } from '../support/smithy-signer.ts'
import { until } from '../support/until.ts'
import { type ClusterServer, ClusterStage } from './cluster-server.ts'
import { Lobby } from './lobby.ts'

const skip = noPostgres || withoutNats

/** Two nodes, and a flow whose processor has so long for its verdict. */
async function set(context: TestContext, deadline: string) {
  const databaseUrl = await freshDatabase()
  const stage = await ClusterStage.set(context, databaseUrl)
  context.after(() => dropDatabase(databaseUrl))
  const [a, b] = await stage.startTwo(await natsUrl(context))
  const lobby = await Lobby.open(a)
  await lobby.attachFlow(a, ['first'], [{ Key: 'carillon:deadline', Value: deadline }])
  return { a, b, lobby, processors: stage.processors }
}

/** Calls an operation of Carillon's own. */
async function call({ endpoint, credentials }: ClusterServer, method: string, target: string, body?: object) {
  const { host, origin } = new URL(endpoint.http)
  const unsigned = { method, target, headers: { host }, body: body ? JSON.stringify(body) : '' }
  const { headers } = await sign(unsigned, { credentials, signingDate: new Date() })
  const response = await fetch(origin + target, { method, headers, ...(body && { body: unsigned.body }) })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

const extend = (node: ClusterServer, messageId: string) =>
  call(node, 'POST', `/carillon/v1/messages/${messageId}?operation=extend`, { Seconds: 3_600 })

interface Pending {
  MessageId: string
  DueTimestamp: number
  DeadlineTimestamp: number
}

const pendingOn = async (node: ClusterServer): Promise<Pending[]> =>
  (await call(node, 'GET', '/carillon/v1/pending?max-results=50')).body.Messages

async function statusOf({ messaging }: ClusterServer, lobby: Lobby, MessageId: string) {
  const { Status } = await messaging.getChannelMessageStatus({ ...lobby.place(), MessageId })
  return Status?.Value
}

suite('on two nodes, an operator extends the deadline of a held message', { skip }, () => {
  test('by the node that does not own the step: the owner looks at it at the old deadline, and keeps it', async (context) => {
    const { a, b, lobby, processors } = await set(context, '15s')
    const release = processors.hold()
    context.after(release)
    const messageId = await lobby.send(a, 'hello')
    const event = await processors.next(messageId)
    assert.equal((await extend(b, messageId)).status, 204)
    // At the old deadline, the owner takes its row: the step is due at the new one then.
    await until(async () => {
      const [held] = await pendingOn(b)
      assert.equal(held?.MessageId, messageId, 'it is still held')
      return held.DueTimestamp === held.DeadlineTimestamp
    })
    assert.equal(await statusOf(b, lobby, messageId), 'PENDING')
    await lobby.allow(b, event)
    assert.equal(await statusOf(a, lobby, messageId), 'SENT')
  })

  test('at the moment of the deadline: it is held from then on if the call succeeds, and has failed if not', async (context) => {
    const { a, b, lobby } = await set(context, '3s')
    const counts = { held: 0, failed: 0 }
    for (let round = 0; round < 3; round += 1) {
      const ids = await Promise.all(Array.from({ length: 16 }, (_, index) => lobby.send(index % 2 ? a : b, 'hello')))
      const deadlines = new Map((await pendingOn(a)).map((one) => [one.MessageId, one.DeadlineTimestamp * 1_000]))
      const results = await Promise.all(
        ids.map(async (messageId, index) => {
          await until(() => Date.now() >= (deadlines.get(messageId) ?? 0) - 12 + 2 * index)
          return (await extend(index % 3 ? a : b, messageId)).status
        }),
      )
      await until(async () => {
        const held = new Set((await pendingOn(b)).map(({ MessageId }) => MessageId))
        return ids.every((messageId, index) => results[index] === 204 || !held.has(messageId))
      })
      for (const [index, messageId] of ids.entries()) {
        const isHeld = results[index] === 204
        assert.equal(await statusOf(a, lobby, messageId), isHeld ? 'PENDING' : 'FAILED', `${results[index]}`)
        counts[isHeld ? 'held' : 'failed'] += 1
        if (isHeld) await call(a, 'POST', `/carillon/v1/messages/${messageId}?operation=fail`, {})
      }
    }
    context.diagnostic(`${counts.held} were held, ${counts.failed} had failed`)
  })
})
