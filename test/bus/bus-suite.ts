import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Bus, Envelope, Listener } from '../../src/bus/bus.ts'
import { envelope, numberOf, Recorder } from './recorder.ts'

/** Two ends of one bus: of two nodes, or twice the same where there is one process. */
export interface Ends {
  here: Bus
  there: Bus
}

/** The contract of the Bus port: one suite, run by every bus. */
export function busSuite(name: string, skip: string | false, open: (context: TestContext) => Promise<Ends>): void {
  const prove = (sentence: string, proof: (ends: Ends) => Promise<void>) =>
    test(`${name}: ${sentence}`, { skip }, async (context) => proof(await open(context)))

  prove('what is published here is heard here before publish returns, and there in the same order', async (ends) => {
    const [here, there] = [new Recorder(ends.here), new Recorder(ends.there)]
    await there.subscription.addChannel(numberOf('C'))
    ends.here.publish([envelope('C', 1), envelope('C', 2)])
    ends.here.publish([envelope('C', 3)])
    assert.deepEqual(here.heard, ['C 1 frame', 'C 2 frame', 'C 3 frame'])
    assert.deepEqual(await there.until('C 3 frame'), ['C 1 frame', 'C 2 frame', 'C 3 frame'])
  })

  prove('an envelope arrives as it was, whatever is in its frame', async (ends) => {
    const sent: Envelope[] = [
      envelope('C', 1, {
        audience: { to: 'members' },
        joins: ['ann'],
        frame: '{"a":"line\\nline"}\n\n💡\u0000',
      }),
      envelope('C', undefined, { audience: { to: 'users', users: ['ann', 'bob'] }, frame: '' }),
      envelope('C', 2, { leaves: 'ann' }),
      envelope('C', 3, { closes: true }),
    ]
    const arrived: Envelope[] = []
    const done = Promise.withResolvers<void>()
    const nothing = () => {}
    const listener: Listener = { deliver, joined: nothing, reached: nothing, changed: nothing, catchUp: nothing }
    function deliver(envelopes: readonly Envelope[]) {
      arrived.push(...envelopes)
      if (arrived.length === sent.length) done.resolve()
    }
    await ends.there.listen(listener).addChannel(numberOf('C'))
    ends.here.publish(sent)
    await done.promise
    assert.deepEqual(arrived.map(defined), sent.map(defined))
  })

  prove(
    'nothing is heard of a channel after its interest was removed, unless it is published on the same node',
    async (ends) => {
      const there = new Recorder(ends.there)
      await Promise.all([there.subscription.addChannel(numberOf('C')), there.subscription.addChannel(numberOf('D'))])
      there.subscription.removeChannel(numberOf('C'))
      ends.here.publish([envelope('C', 1), envelope('D', 1)])
      const heard = await there.until('D 1 frame')
      if (ends.here !== ends.there) assert.deepEqual(heard, ['D 1 frame'])
    },
  )

  prove('interest can be added again', async (ends) => {
    const there = new Recorder(ends.there)
    await there.subscription.addChannel(numberOf('C'))
    there.subscription.removeChannel(numberOf('C'))
    await there.subscription.addChannel(numberOf('C'))
    ends.here.publish([envelope('C', 1)])
    assert.deepEqual(await there.until('C 1 frame'), ['C 1 frame'])
  })

  prove('a user of interest who joins a channel is heard of, without interest in the channel', async (ends) => {
    const there = new Recorder(ends.there)
    await there.subscription.addUser('ann')
    ends.here.publish([envelope('C', 7, { joins: ['ann'] })])
    // On the same node the event itself says it.
    await there.until(ends.here === ends.there ? 'C 7 frame' : 'ann joined C at 7')
  })

  prove('whoever has an interest in a user hears that it has changed', async (ends) => {
    const there = new Recorder(ends.there)
    await there.subscription.addUser('ann')
    ends.here.announceChange('ann')
    assert.deepEqual(await there.until('ann changed'), ['ann changed'])
  })

  prove('everybody hears that it is time to catch up', async (ends) => {
    const [here, there] = [new Recorder(ends.here), new Recorder(ends.there)]
    ends.here.announceCatchUp()
    assert.deepEqual(here.heard, ['catch up'])
    assert.deepEqual(await there.until('catch up'), ['catch up'])
  })

  prove('a closed subscription hears nothing, and leaves its neighbours alone', async (ends) => {
    const [closed, there] = [new Recorder(ends.there), new Recorder(ends.there)]
    await Promise.all([closed, there].map(({ subscription }) => subscription.addChannel(numberOf('C'))))
    closed.subscription.close()
    ends.here.publish([envelope('C', 1)])
    ends.here.announceCatchUp()
    await there.until('catch up')
    assert.deepEqual(closed.heard, [])
  })

  prove('it is connected', async ({ here, there }) => {
    assert.equal(here.connected, true)
    assert.equal(there.connected, true)
  })
}

/** Without the members that are there but undefined. */
const defined = (sent: Envelope): object => JSON.parse(JSON.stringify(sent))
