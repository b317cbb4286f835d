import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { Envelope } from '../../src/bus/bus.ts'
import { ChannelOrder } from '../../src/session/channel-order.ts'

const envelope = (seq: number): Envelope => ({
  channelId: 1,
  channelArn: 'C',
  seq,
  audience: { to: 'members' },
  frame: `${seq}`,
})

/** An order, and what it has let through. */
function start(position?: number) {
  const order = new ChannelOrder()
  if (position !== undefined) order.startAt(position)
  const delivered: number[] = []
  const deliver = (envelope: Envelope) => delivered.push(envelope.seq!)
  const advance = () => {
    for (let next = order.next(); next; next = order.next()) deliver(next)
  }
  const hear = (seq: number) => {
    if (order.accept(seq, envelope(seq))) deliver(envelope(seq))
    advance()
  }
  return { order, delivered, hear, advance }
}

suite('the order of a channel', () => {
  test('lets through what comes in order, and has no gap', () => {
    const { order, delivered, hear } = start(4)
    for (const seq of [5, 6, 7]) hear(seq)
    assert.deepEqual(delivered, [5, 6, 7])
    assert.equal(order.hasGap, false)
    assert.equal(order.nextGap(), undefined)
  })

  test('holds back what comes too early, and names exactly what is missing', () => {
    const { order, delivered, hear } = start(0)
    for (const seq of [4, 3, 7]) hear(seq)
    assert.deepEqual(order.nextGap(), { after: 0, through: 2 })
    hear(2)
    assert.deepEqual(delivered, [])
    hear(1)
    assert.deepEqual(delivered, [1, 2, 3, 4])
    assert.deepEqual(order.nextGap(), { after: 4, through: 6 })
  })

  test('drops what was heard', () => {
    const { order, delivered, hear } = start(2)
    for (const seq of [1, 2, 3, 3]) hear(seq)
    assert.deepEqual(delivered, [3])
    assert.equal(order.hasGap, false)
  })

  test('knows of a gap by the number alone', () => {
    const { order } = start(2)
    order.reach(5)
    assert.deepEqual(order.nextGap(), { after: 2, through: 5 })
    assert.equal(order.hasGap, true)
  })

  test('has no place at first: what comes is held, and what is before the place is dropped then', () => {
    const { order, delivered, hear, advance } = start()
    for (const seq of [3, 5, 4, 7]) hear(seq)
    assert.equal(order.hasGap, false)
    order.startAt(3)
    advance()
    assert.deepEqual(delivered, [4, 5])
    assert.deepEqual(order.nextGap(), { after: 5, through: 6 })
    order.startAt(1)
    assert.equal(order.position, 5)
  })

  test('in doubt asks for all that the log has, once', () => {
    const { order } = start(2)
    order.markUncertain()
    assert.deepEqual(order.nextGap(), { after: 2, through: undefined })
    assert.equal(order.hasGap, false)
  })

  test('goes back for one who has to hear what others have heard', () => {
    const { order, delivered, hear } = start(5)
    order.rewind(2)
    hear(6)
    assert.deepEqual(delivered, [])
    assert.deepEqual(order.nextGap(), { after: 2, through: 5 })
    for (const seq of [3, 4, 5]) hear(seq)
    assert.deepEqual(delivered, [3, 4, 5, 6])
  })

  test('gives out what it holds when nothing will fill the gap', () => {
    const { order, hear } = start(1)
    for (const seq of [5, 3]) hear(seq)
    assert.deepEqual(
      order.drain().map(({ seq }) => seq),
      [3, 5],
    )
    assert.deepEqual(order.drain(), [])
  })

  test('holds back only so much; the log has the rest', () => {
    const { order, hear, delivered } = start(0)
    for (let seq = 2; seq <= 1_000; seq += 1) hear(seq)
    hear(1)
    assert.deepEqual(delivered.length, 257)
    assert.deepEqual(order.nextGap(), { after: 257, through: 1_000 })
  })
})

test('whatever arrives in whatever order, however often or not at all, with the gaps read all is delivered once and in order', () => {
  const arrivals = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 120 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20 }), arrivals, fc.nat(120), (position, numbers, placedAfter) => {
      const { order, delivered, hear, advance } = start()
      const place = () => {
        order.startAt(position)
        advance()
      }
      for (const [index, seq] of numbers.entries()) {
        if (index === placedAfter) place()
        hear(seq)
      }
      place()
      for (let gap = order.nextGap(); gap; gap = order.nextGap()) {
        assert.ok(gap.through !== undefined && gap.through > gap.after)
        for (let seq = gap.after + 1; seq <= gap.through; seq += 1) hear(seq)
      }
      const last = Math.max(position, ...numbers)
      assert.deepEqual(
        delivered,
        Array.from({ length: last - position }, (_, index) => position + 1 + index),
      )
    }),
  )
})
