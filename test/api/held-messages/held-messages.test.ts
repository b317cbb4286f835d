import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { carillon } from '../../support/carillon.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)
await people.attachFlow(['first'])
const others = await populate(server)
await others.attachFlow(['first'])

const act = (messageId: string | undefined, operation: string, body: object = {}) =>
  server.call('POST', `/carillon/v1/messages/${messageId}?operation=${operation}`, { body })

const pendingOf = async (query: string) => (await server.call('GET', `/carillon/v1/pending?${query}`)).body.Messages

const idsOf = (messages: { MessageId: string }[]) => messages.map(({ MessageId }) => MessageId).sort()

const decisionOf = async (messageId: string | undefined) => {
  const { body } = await server.call('GET', `/carillon/v1/messages/${messageId}/timeline`)
  const { State, DecidedBy, AccessKeyId, Reason } = body.Runs[0].Steps.at(-1)
  return { State, DecidedBy, AccessKeyId, Reason }
}

suite('a person decides a held message', () => {
  test('approves it, with another text; a later callback is told', async () => {
    const event = await people.sendHeld({ Content: 'teh bells' })
    const { MessageId } = event.ChannelMessage
    assert.equal((await act(MessageId, 'complete', { Content: 'the bells' })).status, 204)
    assert.equal((await people.read(MessageId, people.owner)).Content, 'the bells')
    await assertRefused(people.deny(event), 'BadRequest')
    assert.deepEqual(await decisionOf(MessageId), {
      State: 'ALLOWED',
      DecidedBy: 'operator',
      AccessKeyId: server.credentials.accessKeyId,
      Reason: undefined,
    })
    assert.equal((await act(MessageId, 'complete')).type, 'NotFoundException')
  })

  test('denies it with a reason, which its sender reads', async () => {
    const session = await server.session(people.member)
    const { ChannelMessage } = await people.sendHeld()
    const body = { ReasonCode: 'RUDE', ReasonText: 'Please keep it friendly' }
    assert.equal((await act(ChannelMessage.MessageId, 'deny', body)).status, 204)
    await session.next()
    const { eventType, payload } = await session.next()
    assert.equal(eventType, 'DENIED_CREATE_CHANNEL_MESSAGE')
    const { Status } = payload as { Status: object }
    assert.deepEqual(Status, { Value: 'DENIED', Detail: 'RUDE: Please keep it friendly' })
    assert.equal((await act(ChannelMessage.MessageId, 'deny', {})).type, 'BadRequestException')
  })

  test('ends it, and it has failed', async () => {
    const { ChannelMessage } = await people.sendHeld()
    const { MessageId } = ChannelMessage
    assert.equal((await act(MessageId, 'fail')).status, 204)
    assert.equal(await people.status(MessageId), 'FAILED')
    const { body } = await server.call('GET', '/carillon/v1/failed')
    const [{ MessageId: latest, Detail, FunctionName }] = body.Messages
    assert.deepEqual([latest, Detail, FunctionName], [MessageId, 'Ended by an operator', 'first'])
  })
})

suite('held messages are listed', () => {
  test('by function, channel and age, in pages, without their text', async () => {
    const events = [await people.sendHeld({ Content: 'a secret' }), await people.sendHeld()]
    const other = await others.sendHeld()
    const channel = `channel-arn=${encodeURIComponent(people.channelArn)}`
    assert.deepEqual(idsOf(await pendingOf(channel)), events.map((event) => event.ChannelMessage.MessageId).sort())
    assert.equal((await pendingOf('function-name=first')).length, 3)
    assert.equal((await pendingOf('function-name=fir%25')).length, 0)
    const [message] = await pendingOf(channel)
    assert.equal(message.SenderArn, people.member)
    assert.ok(!JSON.stringify(message).includes('secret'))
    assert.equal((await pendingOf('older-than=60')).length, 0)
    clock.advance(60_000)
    assert.equal((await pendingOf('older-than=60')).length, 3)

    const first = (await server.call('GET', '/carillon/v1/pending?max-results=2')).body
    const rest = await pendingOf(`max-results=2&next-token=${encodeURIComponent(first.NextToken)}`)
    assert.deepEqual(
      idsOf([...first.Messages, ...rest]),
      [...events, other].map((event) => event.ChannelMessage.MessageId).sort(),
    )
    for (const event of events) await people.allow(event)
    await others.allow(other)
  })

  test('and decided by the command line, one or all of a function', async () => {
    const ids = []
    for (let count = 0; count < 3; count += 1) ids.push((await people.sendHeld()).ChannelMessage.MessageId)
    const run = (...args: string[]) => carillon(...args, '--data-dir', server.dataDir)
    const listed = await run('pending', '--processor', 'first')
    assert.deepEqual([listed.status, listed.stderr], [0, ''])
    for (const id of ids) assert.ok(listed.stdout.includes(id))
    const file = join(server.dataDir, 'content.txt')
    await writeFile(file, 'from a file')
    assert.equal((await run('complete', ids[0]!, '--content', file)).stdout, `${ids[0]}: approved\n`)
    assert.equal((await people.read(ids[0], people.owner)).Content, 'from a file')
    const denied = await run('deny', '--all-of', 'first', '--reason', 'SPAM: Nobody asked for it')
    assert.equal(denied.stdout, '2 messages held by first: 2 denied\n')
    assert.equal((await run('pending')).stdout, 'No flow holds a message.\n')
    const { status, stderr } = await run('complete', ids[1]!)
    assert.deepEqual([status, stderr], [1, 'carillon: No flow holds such a message: it was denied\n'])
    assert.equal((await run('deny', ids[1]!)).status, 1)
  })
})
