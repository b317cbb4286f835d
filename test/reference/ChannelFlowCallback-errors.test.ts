import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import { carillon } from '../support/carillon.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { populate, processor } from '../support/population.ts'
import { assertRefused, noAccess, outcomeOf } from '../support/refusals.ts'
import { startTestServer, testOfSqlite } from '../support/running-server.ts'
import { SteeredStore } from '../support/steered-store.ts'
import { bodyOf, callBack, notPending, populateFlow } from './callback.ts'

/*
 * The errors of ChannelFlowCallback as AWS's API reference has them: every suite says in our words what is said there, and
 * its cases hold the server to it. What the members of a call must be is in ChannelFlowCallback.test.ts.
 */

const clock = new ManualClock(Date.now())
/** Longer than a function pauses after an outcome that could not be written. */
const pauseMs = 2_000
const store = new SteeredStore()
const server = await startTestServer({ clock, aroundStore: store.around })
const people = await populateFlow(server, 'first')
const chained = await populateFlow(server, 'first', 'second', 'third')

/** After a call that was refused everything is as before it, and the processor may call back again. */
async function assertStillWaits(event: ProcessorEvent): Promise<void> {
  assert.equal(await people.status(event.ChannelMessage.MessageId), 'PENDING')
  await people.allow(event)
  assert.equal(await people.status(event.ChannelMessage.MessageId), 'SENT')
}

suite('BadRequestException, 400: the call does not fit, here the state that its message is in', () => {
  const sent: Record<string, () => Promise<ProcessorEvent>> = {
    'a message': () => people.sendHeld(),
    'an update': async () => {
      const event = await people.sendHeld()
      await people.allow(event)
      return people.updateHeld(event.ChannelMessage.MessageId)
    },
    'a NON_PERSISTENT message': () => people.sendHeld({ Persistence: 'NON_PERSISTENT' }),
  }
  for (const [what, meet] of Object.entries(sent)) {
    test(`${what} is out already`, async () => {
      const event = await meet()
      await people.allow(event)
      await assertRefused(people.allow(event), 'BadRequest', notPending(event))
      await assertRefused(people.deny(event), 'BadRequest', notPending(event))
    })
  }

  test('another processor has its turn', async () => {
    const first = await chained.sendHeld()
    await chained.allow(first)
    const second = await server.processors.next(first.ChannelMessage.MessageId)
    await assertRefused(chained.allow(first), 'BadRequest', notPending(first))
    await chained.allow(second)
    for (const over of [first, second]) await assertRefused(chained.deny(over), 'BadRequest', notPending(over))
  })
})

suite('UnauthorizedClientException, 401: the caller may not call at present', () => {
  testOfSqlite('its access key is suspended, until it is resumed', async () => {
    const keys = (...args: string[]) => carillon('keys', ...args, '--data-dir', server.dataDir)
    const { stdout } = await keys('create', '--callback', people.appInstanceArn)
    const [, accessKeyId, secretAccessKey] = /^aws_access_key_id=(.+)\naws_secret_access_key=(.+)\n$/.exec(stdout) ?? []
    assert.ok(accessKeyId && secretAccessKey, stdout)
    const event = await people.sendHeld()
    const call = async () => callBack(people, bodyOf(event), { credentials: { accessKeyId, secretAccessKey } })
    await keys('suspend', accessKeyId)
    const { status, type, body } = await call()
    assert.deepEqual([status, type, body.Code], [401, 'UnauthorizedClientException', 'Unauthorized'])
    assert.equal(await people.status(event.ChannelMessage.MessageId), 'PENDING')
    await keys('resume', accessKeyId)
    assert.equal((await call()).status, 200)
  })
})

suite('ForbiddenException, 403: the caller may never make this call', () => {
  test('nobody was given the CallbackId', async () => {
    const event = await people.sendHeld()
    for (const CallbackId of [randomUUID(), `${event.CallbackId}0`, 'c'.repeat(32), 'c'.repeat(64)]) {
      await assertRefused(people.allow({ ...event, CallbackId }), 'Forbidden', noAccess)
    }
    await assertStillWaits(event)
  })

  // A deleted channel will be one more, once there is DeleteChannel.
  test('the channel is another one, or none', async () => {
    const event = await people.sendHeld()
    const channels = [await people.createChannel(), chained.channelArn, `${people.channelArn}0`, people.appInstanceArn]
    for (const channelArn of channels) {
      const { status, body } = await callBack({ server, channelArn }, bodyOf(event))
      assert.deepEqual([status, body], [403, { Code: 'Forbidden', Message: noAccess }])
    }
    await assertStillWaits(event)
  })

  test('the MessageId is not the one that came with the CallbackId', async () => {
    const [event, other] = [await people.sendHeld(), await people.sendHeld()]
    for (const MessageId of [other.ChannelMessage.MessageId, 'unknown']) {
      await assertRefused(people.allow(event, { MessageId }), 'Forbidden', noAccess)
      await assertRefused(people.deny(event, { MessageId }), 'Forbidden', noAccess)
    }
    await assertStillWaits(event)
    await assertStillWaits(other)
  })

  for (const Persistence of ['PERSISTENT', 'NON_PERSISTENT'] as const) {
    test(`a processor has denied the ${Persistence} message, whichever asks`, async () => {
      const first = await chained.sendHeld({ Persistence })
      await chained.allow(first)
      const second = await server.processors.next(first.ChannelMessage.MessageId)
      await chained.deny(second)
      for (const event of [first, second]) {
        await assertRefused(chained.allow(event), 'Forbidden', noAccess)
        await assertRefused(chained.deny(event), 'Forbidden', noAccess)
      }
    })
  }

  test('the message has FAILED at a processor that cannot be reached', async () => {
    const failing = await populate(server)
    await failing.attachFlow([], { Processors: [processor('first'), processor('not-there', 1)] })
    const session = await server.session(failing.member)
    const event = await failing.sendHeld()
    await failing.allow(event)
    assert.deepEqual(await session.eventTypes(2), ['PENDING_CREATE_CHANNEL_MESSAGE', 'FAILED_CREATE_CHANNEL_MESSAGE'])
    await assertRefused(failing.allow(event), 'Forbidden', noAccess)
  })

  test('the deadline is over, and not a millisecond before', async () => {
    const late = await populate(server)
    await late.attachFlow(['first'], { Tags: [{ Key: 'carillon:deadline', Value: '1s' }] })
    const session = await server.session(late.member)
    const events = [await late.sendHeld(), await late.sendHeld()] as const
    clock.advance(999)
    await late.allow(events[0])
    clock.advance(1)
    await assertRefused(late.allow(events[1]), 'Forbidden', noAccess)
    const [, , , last] = await session.eventTypes(4)
    assert.equal(last, 'FAILED_CREATE_CHANNEL_MESSAGE')
    await assertRefused(late.allow(events[1]), 'Forbidden', noAccess)
  })
})

suite('ConflictException, 409: another callback was first, between the check of this one and its write', () => {
  const races = { 'in one commit with it': 'together', 'in the commit before': 'one by one' } as const
  for (const [when, how] of Object.entries(races)) {
    for (const loser of ['allow', 'deny'] as const) {
      test(`${loser} after allow, ${when}`, async () => {
        const session = await server.session(people.owner)
        const event = await people.sendHeld()
        const writes = [store.stop('DecideStep'), store.stop('DecideStep')] as const
        const winning = people.allow(event, { Content: 'winner' })
        const winner = await writes[0]
        const losing = outcomeOf(people[loser](event, { Content: 'loser' }))
        // Both have found the step open.
        const second = await writes[1]
        winner.pass()
        if (how === 'one by one') await winning
        second.pass()
        assert.equal((await winning).CallbackId, event.CallbackId)
        assert.equal(await losing, 'Conflict')
        assert.equal(((await session.next()).payload as { Content: string }).Content, 'winner')
        await assertRefused(people.allow(event), 'BadRequest', notPending(event))
      })
    }
  }

  test('and so does one that loses to the deadline', async () => {
    const late = await populate(server)
    await late.attachFlow(['first'], { Tags: [{ Key: 'carillon:deadline', Value: '1s' }] })
    const session = await server.session(late.member)
    const event = await late.sendHeld()
    const stopped = store.stop('DecideStep')
    const losing = outcomeOf(late.allow(event))
    const { pass } = await stopped
    clock.advance(1_000)
    await session.eventTypes(2)
    pass()
    assert.equal(await losing, 'Conflict')
    assert.equal(await late.status(event.ChannelMessage.MessageId), 'FAILED')
  })
})

suite('ThrottledClientException, 429: the channel has more calls than its rate', async () => {
  const clock = new ManualClock(Date.now())
  const server = await startTestServer({ clock, flags: ['--limits', 'aws', '--rates', 'bearer=1000'] })
  const people = await populateFlow(server, 'first')
  const elsewhere = await populateFlow(server, 'first')

  test('sends and callbacks counted together: 60 at once, then 30 a second', async () => {
    const event = await people.sendHeld()
    const wrong = { ...event, CallbackId: randomUUID() }
    for (let count = 0; count < 29; count++) await people.send({ Type: 'CONTROL' })
    for (let count = 0; count < 30; count++) await assertRefused(people.allow(wrong), 'Forbidden')
    await assertRefused(people.allow(event), 'Throttled', /^Rate exceeded/)
    await assertRefused(people.send(), 'Throttled')
    await elsewhere.allow(await elsewhere.sendHeld())
    clock.advance(33)
    await assertRefused(people.allow(event), 'Throttled')
    clock.advance(1)
    await people.allow(event)
    await assertRefused(people.send(), 'Throttled')
    assert.equal(await people.status(event.ChannelMessage.MessageId), 'SENT')
  })
})

suite('ServiceFailureException, 500: something unexpected is wrong with the server', () => {
  test('its caller learns no more than that, and finds the message as it was', async () => {
    const event = await people.sendHeld()
    const stopped = store.stop('DecideStep')
    const answering = callBack(people, bodyOf(event))
    const { fail } = await stopped
    fail(new Error('planted'))
    const { status, type, body } = await answering
    const [error] = server.takeErrors() as { requestId: string; err: Error }[]
    assert.equal(error?.err.message, 'planted')
    assert.deepEqual([status, type], [500, 'ServiceFailureException'])
    assert.deepEqual(body, {
      Code: 'ServiceFailure',
      Message: `The call failed inside the server, whose log has the reason under the request id ${error.requestId}`,
    })
    await assertStillWaits(event)
  })
})

suite('ServiceUnavailableException, 503: the server cannot take the call now, and says when to come back', () => {
  testOfSqlite('the disk is full', async () => {
    const event = await people.sendHeld()
    const setPagesMax = (pages: number) =>
      store.transaction((transaction) => transaction.get(`PRAGMA max_page_count = ${pages}`))
    // As few as there are already: SQLite then says SQLITE_FULL where it would have to grow, as it does on a full disk.
    await setPagesMax(1)
    const long = { Content: '🔔'.repeat(1024), Metadata: '🔔'.repeat(1024) }
    await assertRefused(people.allow(event, long), 'ServiceUnavailable')
    assert.equal((await people.read(event.ChannelMessage.MessageId)).Content, 'hello')
    await setPagesMax(1_000_000)
    clock.advance(pauseMs)
    await assertStillWaits(event)
  })

  testOfSqlite('too many writes wait for the disk', async () => {
    const event = await people.sendHeld()
    const disk = Promise.withResolvers<void>()
    const busy = store.transaction(() => disk.promise)
    const nothing = {
      kind: 'TakeSteps',
      owner: 'nobody',
      deadNode: undefined,
      now: 0,
      againAt: 0,
      stepsMax: 0,
    } as const
    const crowd = () => Promise.allSettled(Array.from({ length: 10_000 }, () => store.opened.commit(nothing)))
    const crowds = [crowd()]
    // Some are taken into the batch that waits for the disk, and leave room for others.
    await new Promise(setImmediate)
    crowds.push(crowd())
    await assertRefused(people.allow(event), 'ServiceUnavailable')
    disk.resolve()
    await Promise.all([busy, ...crowds])
    clock.advance(pauseMs)
    await assertStillWaits(event)
  })

  test('the server stops: it refuses all but callbacks, and goes on by itself when it is back', async () => {
    const release = server.processors.hold()
    const event = await chained.sendHeld()
    const restarted = server.restart()
    const sending = { bearer: people.member, body: { Content: 'lost', Type: 'STANDARD', Persistence: 'PERSISTENT' } }
    const send = await server.call('POST', `/channels/${encodeURIComponent(people.channelArn)}/messages`, sending)
    assert.deepEqual([send.status, send.type, send.retryAfter], [503, 'ServiceUnavailableException', '1'])
    assert.equal((await callBack(chained, bodyOf(event, { Content: 'changed' }))).status, 200)
    release()
    await restarted
    const second = await server.processors.next(event.ChannelMessage.MessageId)
    assert.equal(second.ChannelMessage.Content, 'changed')
    assert.ok(!(await people.history()).includes('lost'))
  })

  test('and what its functions had at work is given to them again, with the same CallbackId', async () => {
    const release = server.processors.hold()
    const event = await people.sendHeld()
    const restarted = server.restart()
    // It waits for them, but no longer than this.
    while (!clock.hasAlarmAt(clock.now() + 2_000)) await new Promise(setImmediate)
    clock.advance(2_000)
    await restarted
    release()
    assert.deepEqual(await server.processors.next(event.ChannelMessage.MessageId), event)
    await assertStillWaits(event)
  })
})
