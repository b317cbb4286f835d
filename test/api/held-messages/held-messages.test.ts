import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { carillon } from '../../support/carillon.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer, testOfSqlite } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)
await people.attachFlow(['first'])
const others = await populate(server)
await others.attachFlow(['first'])
const hurried = await populate(server)

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

suite('a person extends the deadline of a held message', () => {
  const deadlineOf = async (messageId: string | undefined): Promise<number> => {
    const { body } = await server.call('GET', `/carillon/v1/messages/${messageId}/timeline`)
    return body.Runs[0].Steps[0].Waits.Deadline
  }

  test('by so many seconds, which its timeline and the audit log say; its callback then counts after the old one', async () => {
    await hurried.attachFlow(['first'], { Tags: [{ Key: 'carillon:deadline', Value: '60s' }] })
    const event = await hurried.sendHeld()
    const { MessageId } = event.ChannelMessage
    const before = await deadlineOf(MessageId)
    assert.equal((await act(MessageId, 'extend', { Seconds: 3_600 })).status, 204)
    assert.equal(await deadlineOf(MessageId), before + 3_600)
    clock.advance(600_000)
    await hurried.allow(event)
    assert.equal(await hurried.status(MessageId), 'SENT')

    const { body } = await server.call('GET', `/carillon/v1/messages/${MessageId}/timeline`)
    const [{ Until, AccessKeyId }] = body.Runs[0].Steps[0].Extensions
    assert.deepEqual([Until, AccessKeyId], [before + 3_600, server.credentials.accessKeyId])
    const { body: audit } = await server.call('GET', '/carillon/v1/audit?max-results=50')
    assert.match(JSON.stringify(audit), new RegExp(`ExtendMessage.{1,300}${MessageId}.{1,100}3600`))
  })

  testOfSqlite('which the timeline for a person says', async () => {
    const event = await people.sendHeld()
    const { MessageId } = event.ChannelMessage
    await act(MessageId, 'extend', { Seconds: 60 })
    const { stdout } = await carillon('trace', MessageId, '--data-dir', server.dataDir)
    const until = new Date((await deadlineOf(MessageId)) * 1_000).toISOString()
    const line = `an operator (key ${server.credentials.accessKeyId}) gave first time until ${until}`
    assert.ok(stdout.includes(line), stdout)
    await people.allow(event)
  })

  test('only later, at most 90 days after the acceptance, and only while the flow holds it', async () => {
    const event = await people.sendHeld()
    const { MessageId } = event.ChannelMessage
    const before = await deadlineOf(MessageId)
    for (const Seconds of [0, -60, 1.5, 30 * 86_400 + 1, undefined]) {
      assert.equal((await act(MessageId, 'extend', { Seconds })).type, 'BadRequestException', `${Seconds}`)
    }
    for (let count = 0; count < 2; count += 1) await act(MessageId, 'extend', { Seconds: 30 * 86_400 })
    const { status, body } = await act(MessageId, 'extend', { Seconds: 30 * 86_400 })
    assert.equal(status, 400)
    assert.match(body.Message, /^A message can be held until 90 days after it was accepted: 2/)
    assert.equal(await deadlineOf(MessageId), before + 60 * 86_400)
    await people.allow(event)
    assert.equal((await act(MessageId, 'extend', { Seconds: 60 })).type, 'NotFoundException')
  })

  test('by the command line, of one or all of a function', async () => {
    const events = [await people.sendHeld(), await people.sendHeld()]
    const [first, second] = events.map((event) => event.ChannelMessage.MessageId)
    const before = await deadlineOf(second)
    const run = (...args: string[]) => carillon(...args, '--data-dir', server.dataDir)
    assert.equal((await run('extend', '2h', first!)).stdout, `${first}: deadline extended\n`)
    const all = await run('extend', '30m', '--all-of', 'first')
    assert.equal(all.stdout, '2 messages held by first: 2 deadline extended\n')
    assert.equal(await deadlineOf(second), before + 1_800)
    const { status, stderr } = await run('extend', first!)
    assert.equal(status, 1)
    assert.match(stderr, /npx carillon extend DURATION MESSAGE_ID/)
    assert.match((await run('extend', 'long', first!)).stderr, /a number with s, m, h or d, such as 5m/)
    for (const event of events) await people.allow(event)
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
