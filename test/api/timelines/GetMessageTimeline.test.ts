import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { carillon } from '../../support/carillon.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer, testOfSqlite } from '../../support/running-server.ts'
import { until } from '../../support/until.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)
const flow = await people.attachFlow(['first', 'second'])

const timelineOf = async (messageId: string | undefined, query = '') =>
  (await server.call('GET', `/carillon/v1/messages/${messageId}/timeline${query}`)).body

const reasonOf = (code: string, text: string) => JSON.stringify({ carillon: { reason: { code, text } } })

suite('GetMessageTimeline', () => {
  test('says what each processor did and how it ended, by the MessageId alone, without any text', async () => {
    const first = await people.sendHeld({ Content: 'a secret', Metadata: 'another' })
    const { MessageId } = first.ChannelMessage
    await assertRefused(people.deny(first, { MessageId: 'another' }), 'Forbidden')
    await people.allow(first, { Content: 'a longer secret' })
    const second = await server.processors.nextAfter(first)
    await people.deny(second, { Metadata: reasonOf('SPAM', 'Nobody asked for it') })
    clock.advance(1_000)

    await until(async () => (await timelineOf(MessageId)).Runs[0].Steps[0].RejectedCallbacks === 1)
    const { Runs, ...timeline } = await timelineOf(MessageId)
    const at = (clock.now() - 1_000) / 1000
    assert.deepEqual(timeline, { MessageId, ChannelArn: people.channelArn, SenderArn: people.member })
    const nothing = { Attempts: [], Changes: [], RejectedCallbacks: 0 }
    assert.deepEqual(Runs, [
      {
        Revision: 1,
        ChannelFlowArn: flow,
        State: 'DENIED',
        Detail: 'SPAM: Nobody asked for it',
        AcceptedAt: at,
        EndedAt: at,
        Steps: [
          {
            ...nothing,
            Processor: 'first',
            FunctionName: 'first',
            State: 'ALLOWED',
            OpenedAt: at,
            DecidedAt: at,
            Changes: [{ Member: 'content', Before: '"a secret"'.length, After: '"a longer secret"'.length }],
            RejectedCallbacks: 1,
          },
          {
            ...nothing,
            Processor: 'second',
            FunctionName: 'second',
            State: 'DENIED',
            OpenedAt: at,
            DecidedAt: at,
            DecidedBy: 'callback',
            Reason: { Code: 'SPAM', Text: 'Nobody asked for it' },
          },
        ],
      },
    ])
    assert.ok(!/secret|another/.test(JSON.stringify({ timeline, Runs })))
  })

  test('says what a held message waits for', async () => {
    const { ChannelMessage } = await people.sendHeld()
    const { Status, Runs } = await timelineOf(ChannelMessage.MessageId)
    assert.equal(Status, 'PENDING')
    const [{ State, Steps }] = Runs
    assert.equal(State, 'RUNNING')
    assert.deepEqual(Object.keys(Steps[0].Waits), ['For', 'Until', 'Deadline'])
  })

  test('finds a MessageId of another server only with its channel', async () => {
    const { ChannelMessage } = await people.sendHeld()
    const foreign = '11111111-2222-4333-8444-555555555555'
    assert.equal((await server.call('GET', `/carillon/v1/messages/${foreign}/timeline`)).type, 'NotFoundException')
    const query = `?channel-arn=${encodeURIComponent(people.channelArn)}`
    assert.equal((await timelineOf(ChannelMessage.MessageId, query)).MessageId, ChannelMessage.MessageId)
  })

  testOfSqlite('is printed for a person by carillon trace', async () => {
    const first = await people.sendHeld()
    const { MessageId } = first.ChannelMessage
    clock.advance(1_500)
    await people.deny(first, { Metadata: reasonOf('RUDE', '') })
    const { status, stdout, stderr } = await carillon('trace', MessageId, '--data-dir', server.dataDir)
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /^ {2}status {3}no longer stored$/m)
    assert.ok(stdout.includes(`  sender   ${people.member}\n`))
    assert.match(stdout, /^ {2}\+0 ms {9}accepted, and held by the flow$/m)
    assert.match(stdout, /^ {2}\+1\.50 s {7}first denied it, reason RUDE$/m)
    assert.match(stdout, /^ {2}\+1\.50 s {7}DENIED; only its sender was notified$/m)
    const json = await carillon('trace', MessageId, '--json', '--data-dir', server.dataDir)
    assert.deepEqual(JSON.parse(json.stdout), await timelineOf(MessageId))
  })
})

suite('the reason of a denial', () => {
  test('reaches the sender in Status.Detail', async () => {
    const session = await server.session(people.member)
    const first = await people.sendHeld()
    await people.deny(first, { Metadata: reasonOf('RUDE', 'Please keep it friendly') })
    const pending = await session.next()
    const denied = await session.next()
    assert.deepEqual(
      [pending.eventType, denied.eventType],
      ['PENDING_CREATE_CHANNEL_MESSAGE', 'DENIED_CREATE_CHANNEL_MESSAGE'],
    )
    const { Status } = denied.payload as { Status: object }
    assert.deepEqual(Status, { Value: 'DENIED', Detail: 'RUDE: Please keep it friendly' })
  })

  test('must be of its form; other Metadata is the own matter of the application', async () => {
    const event = await people.sendHeld()
    for (const reason of ['{"carillon":1}', '{"carillon":{"reason":{"code":"a b"}}}', reasonOf('A', 'x'.repeat(257))]) {
      await assertRefused(people.deny(event, { Metadata: reason }), 'BadRequest')
    }
    await people.allow(event, { Metadata: '{"carillon":1}' })
    await people.deny(await people.sendHeld(), { Metadata: '{"mine":1}' })
  })
})
