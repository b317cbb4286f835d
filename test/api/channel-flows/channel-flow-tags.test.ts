import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Tag } from '@aws-sdk/client-chime-sdk-messaging'
import { carillon } from '../../support/carillon.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate, processor } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer, testOfSqlite } from '../../support/running-server.ts'
import { until } from '../../support/until.ts'
import { passDeadline, tagsOf } from '../tags/tagged.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)

/** `carillon:attempts=2` as a tag. */
const tagOf = (text: string): Tag => {
  const [name = '', Value = ''] = text.split('=')
  return { Key: `carillon:${name}`, Value }
}
const tagsFrom = (...texts: string[]) => texts.map(tagOf)
const createWith = (names: string[], ...texts: string[]) =>
  people.createFlow(names, texts.length === 0 ? {} : { Tags: tagsFrom(...texts) })
const tag = (ResourceARN: string, ...texts: string[]) =>
  server.messaging.tagResource({ ResourceARN, Tags: tagsFrom(...texts) })
const untag = (ResourceARN: string, ...TagKeys: string[]) => server.messaging.untagResource({ ResourceARN, TagKeys })
const update = (ChannelFlowArn: string, names: string[]) =>
  server.messaging.updateChannelFlow({ ChannelFlowArn, Name: 'Flow', Processors: names.map(processor) })

const stepsOf = async (messageId: string | undefined) =>
  (await server.call('GET', `/carillon/v1/messages/${messageId}/timeline`)).body.Runs[0].Steps

/** How long the first processor of a message has from now on, in seconds. */
async function timeOf(messageId: string | undefined): Promise<number> {
  const [{ Waits }] = await stepsOf(messageId)
  return Math.round(Waits.Deadline - clock.now() / 1_000)
}

suite('a tag of a channel flow', () => {
  const accepted = {
    deadline: ['100ms', '90s', '1.5m', '30d'],
    'on-deadline': ['fail', 'continue'],
    attempts: ['1', '8'],
    retry: ['100ms', '30s', '1h'],
  }
  const rejected = {
    deadline: ['99ms', '31d', '90', 'soon', '-1s'],
    'on-deadline': ['pass', 'CONTINUE', 'abort', ' fail'],
    attempts: ['0', '9', '10', '1.5', '-1', '+2', '2x', 'two'],
    retry: ['99ms', '61m', '2d', '60', 'soon'],
  }

  test('is accepted for all processors or for one, if its value is', async () => {
    for (const [name, values] of Object.entries(accepted)) {
      for (const value of values) {
        const texts = ['', ':1', ':2', ':3'].map((suffix) => `${name}${suffix}=${value}`)
        const flow = await createWith(['first', 'second', 'third'], ...texts)
        assert.equal((await tagsOf(server, flow))?.length, 4)
        await tag(flow, ...texts)
      }
    }
  })

  for (const [name, values] of Object.entries(rejected)) {
    test(`carillon:${name} is rejected with another value, and the message says which it can have`, async () => {
      const flow = await createWith(['first'])
      for (const key of [name, `${name}:1`]) {
        for (const value of values) {
          const text = new RegExp(`^1 validation error .* carillon:${key} must be .*(from .* to|fail or continue)`)
          await assertRefused(tag(flow, `${key}=${value}`), 'BadRequest', text)
          await assertRefused(createWith(['first'], `${key}=${value}`), 'BadRequest', text)
        }
      }
      assert.deepEqual(await tagsOf(server, flow), [])
    })
  }

  for (const key of ['attempt', 'deadline:0', 'deadline:4', 'deadline:', 'deadline:1:1', 'retry:01', '', ':1']) {
    test(`"carillon:${key}" is rejected: it is not known`, async () => {
      const flow = await createWith(['first'])
      const text = /is not known here \(known: carillon:deadline, .*, carillon:retry:3\)$/
      await assertRefused(tag(flow, `${key}=1`), 'BadRequest', text)
      await assertRefused(createWith(['first'], `${key}=1`), 'BadRequest', text)
    })
  }

  test('with a capital letter in its prefix is not known either', async () => {
    const Tags = [{ Key: 'Carillon:deadline', Value: '30s' }]
    await assertRefused(people.createFlow(['first'], { Tags }), 'BadRequest', /is not known here/)
  })

  test('for one processor is rejected if the flow has none with this ExecutionOrder', async () => {
    const text = /^The tag carillon:attempts:2 is for the processor with the executionOrder 2, and the flow has none$/
    await assertRefused(createWith(['first'], 'attempts:2=1'), 'BadRequest', text)
    const flow = await createWith(['first'])
    await assertRefused(tag(flow, 'deadline=30s', 'attempts:2=1'), 'BadRequest', text)
    assert.deepEqual(await tagsOf(server, flow), [])
    const Processors = [processor('first', 0), processor('third', 2)]
    const Tags = tagsFrom('attempts:3=1')
    assert.ok(await people.createFlow([], { Processors, Tags }))
    await assertRefused(people.createFlow([], { Processors, Tags: tagsFrom('attempts:2=1') }), 'BadRequest', text)
  })

  test('for one processor keeps an update from removing that processor', async () => {
    const flow = await createWith(['first', 'second'], 'deadline:2=30s')
    const text = /^The tag carillon:deadline:2 is for the processor with the executionOrder 2/
    await assertRefused(update(flow, ['third']), 'BadRequest', text)
    const { ChannelFlow } = await server.messaging.describeChannelFlow({ ChannelFlowArn: flow })
    assert.deepEqual(ChannelFlow?.Processors, ['first', 'second'].map(processor))
    await untag(flow, 'carillon:deadline:2')
    await update(flow, ['third'])
  })

  test('for one processor and an update that removes it: at the same moment, one of both is rejected', async () => {
    for (let round = 0; round < 5; round += 1) {
      const flow = await createWith(['first', 'second'])
      const both = await Promise.allSettled([tag(flow, 'deadline:2=30s'), update(flow, ['third'])])
      const reasons = both.flatMap((one) => (one.status === 'rejected' ? [one.reason.name] : []))
      assert.deepEqual(reasons, ['BadRequestException'])
    }
  })

  test('is no member of a processor in a response', async () => {
    const flow = await createWith(['first', 'second'], 'attempts=1', 'retry:2=1s')
    const { ChannelFlow } = (await server.call('GET', `/channel-flows/${encodeURIComponent(flow)}`)).body
    assert.deepEqual(ChannelFlow.Processors, ['first', 'second'].map(processor))
    const query = `app-instance-arn=${encodeURIComponent(people.appInstanceArn)}&max-results=50`
    const { body } = await server.call('GET', `/channel-flows?${query}`)
    assert.ok(body.ChannelFlows.length > 0)
    assert.ok(!JSON.stringify(body).includes('Policy'))
  })

  test('cannot be set as a member of a processor', async () => {
    const Policy = { onDeadline: 'continue', deadlineMs: 1 }
    const held = await populate(server)
    const flow = await held.attachFlow([], { Processors: [{ ...processor('first'), Policy } as never] })
    await server.messaging.updateChannelFlow({
      ChannelFlowArn: flow,
      Name: 'Flow',
      Processors: [{ ...processor('first'), Policy } as never],
    })
    const event = await held.sendHeld()
    assert.equal(await timeOf(event.ChannelMessage.MessageId), 48 * 3_600)
    await held.allow(event)
  })
})

suite('the deadline of one processor', () => {
  test('goes before that of the flow, which the others have', async () => {
    const held = await populate(server)
    await held.attachFlow(['first', 'second'], { Tags: tagsFrom('deadline=10h', 'deadline:1=1h') })
    const event = await held.sendHeld()
    assert.equal(await timeOf(event.ChannelMessage.MessageId), 3_600)
    await held.allow(event)
    const second = await server.processors.nextAfter(event)
    const [, { Waits }] = await stepsOf(event.ChannelMessage.MessageId)
    assert.equal(Math.round(Waits.Deadline - clock.now() / 1_000), 36_000)
    await held.allow(second)
  })

  test('counts after an update of the flow, and as long as the tag is there', async () => {
    const held = await populate(server)
    const flow = await held.attachFlow(['first'], { Tags: tagsFrom('deadline:1=1h') })
    await update(flow, ['second'])
    const event = await held.sendHeld()
    assert.equal(await timeOf(event.ChannelMessage.MessageId), 3_600)
    await held.allow(event)
    await untag(flow, 'carillon:deadline:1')
    const next = await held.sendHeld()
    assert.equal(await timeOf(next.ChannelMessage.MessageId), 48 * 3_600)
    await held.allow(next)
  })
})

suite('carillon:on-deadline=continue', () => {
  test('lets the message pass to the next processor, and the timeline names what approved it', async () => {
    const held = await populate(server)
    await held.attachFlow(['first', 'second'], { Tags: tagsFrom('deadline:1=1s', 'on-deadline:1=continue') })
    const event = await held.sendHeld({ Content: 'nobody looked' })
    const { MessageId } = event.ChannelMessage
    await until(async () => {
      clock.advance(1_000)
      return (await stepsOf(MessageId)).length === 2
    })
    const second = await server.processors.nextAfter(event)
    assert.equal(second.ChannelMessage.Content, 'nobody looked')
    await assertRefused(held.deny(event), 'BadRequest', /non-pending message/)
    assert.equal(await held.status(MessageId), 'PENDING')
    await held.allow(second)
    assert.equal(await held.status(MessageId), 'SENT')
    const [{ State, DecidedBy }] = await stepsOf(MessageId)
    assert.deepEqual([State, DecidedBy], ['EXPIRED', 'on-deadline'])
  })

  testOfSqlite('is named by the timeline for a person', async () => {
    const held = await populate(server)
    await held.attachFlow(['first'], { Tags: tagsFrom('deadline=1s', 'on-deadline=continue') })
    const event = await held.sendHeld()
    await passDeadline(held, event, clock)
    const { stdout } = await carillon('trace', event.ChannelMessage.MessageId, '--data-dir', server.dataDir)
    assert.match(stdout, /the time of first was over: its on-deadline, continue, let the message pass/)
  })

  test('set during a run has no effect on it, and removed during a run neither', async () => {
    const held = await populate(server)
    const flow = await held.attachFlow(['first'], { Tags: tagsFrom('deadline=1s') })
    const before = await held.sendHeld()
    await tag(flow, 'on-deadline=continue')
    const after = await held.sendHeld()
    await untag(flow, 'carillon:on-deadline')
    for (const event of [before, after]) await passDeadline(held, event, clock)
    assert.equal(await held.status(before.ChannelMessage.MessageId), 'FAILED')
    assert.equal(await held.status(after.ChannelMessage.MessageId), 'SENT')
  })

  test('lets an update of a message pass, too', async () => {
    const held = await populate(server)
    const flow = await held.attachFlow(['first'], { Tags: tagsFrom('deadline=1s') })
    const event = await held.sendHeld()
    const { MessageId } = event.ChannelMessage
    await held.allow(event)
    await tag(flow, 'on-deadline=continue')
    await held.updateHeld(MessageId, { Content: 'edited' })
    await until(async () => {
      clock.advance(1_000)
      return (await held.read(MessageId)).Content === 'edited'
    })
  })
})

suite('carillon:attempts and carillon:retry', () => {
  test('say how often, and when, a function that fails is invoked again', async () => {
    const source = `export async function handler() { throw new TypeError('broken') }`
    await writeFile(join(server.dataDir, '..', 'functions', 'broken.mjs'), source)
    const held = await populate(server)
    await held.attachFlow(['broken'], { Tags: tagsFrom('attempts=2', 'retry:1=30s') })
    const { MessageId } = await held.send()
    const attempts = async () => (await stepsOf(MessageId))[0].Attempts
    await until(async () => (await attempts()).length === 1)
    const [{ Waits }] = await stepsOf(MessageId)
    assert.equal(Waits.For, 'retry')
    assert.equal(Math.round(Waits.Until - clock.now() / 1_000), 30)
    clock.advance(30_000)
    await until(async () => (await attempts()).length === 2)
    const [{ Waits: last }] = await stepsOf(MessageId)
    assert.equal(last.For, 'callback')
    await server.call('POST', `/carillon/v1/messages/${MessageId}?operation=fail`, { body: {} })
  })
})
