import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Batch } from '../../src/session/batch.ts'
import { FrameFlush, type Outlet } from '../../src/session/frame-flush.ts'

/** A socket that shows what was written to it, write by write. */
class Writes implements Outlet {
  readonly stream = new PassThrough({ highWaterMark: 1 })
  readonly chunks: Buffer[] = []
  batch: Batch | undefined

  constructor() {
    this.stream.on('data', (chunk) => this.chunks.push(chunk))
  }

  flush(): void {
    this.batch?.writeTo(this.stream)
    this.batch = undefined
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

suite('the frames of one turn', () => {
  test('that go to several sockets share one buffer', async () => {
    const flush = new FrameFlush()
    const [one, other, third] = [new Writes(), new Writes(), new Writes()]
    const [a, b, c] = ['a', 'b', 'c'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]
    for (const outlet of [one, other, third]) flush.add(outlet, a)
    for (const outlet of [one, other]) flush.add(outlet, b)
    for (const outlet of [third, one, other]) flush.add(outlet, c)
    await setImmediate()
    assert.deepEqual([one.text, other.text, third.text], ['abc', 'abc', 'ac'])
    assert.equal(one.chunks.length, 1)
    assert.equal(one.chunks[0], other.chunks[0])
  })

  test('are written one by one if they are long together, so that no memory is filled with copies', async () => {
    const flush = new FrameFlush()
    const outlet = new Writes()
    const frames = ['a', 'b', 'c'].map((text) => Buffer.alloc(40_000, text))
    for (const frame of frames) flush.add(outlet, frame)
    await setImmediate()
    assert.equal(outlet.text, frames.join(''))
    for (const [index, frame] of frames.entries()) assert.equal(outlet.chunks[index], frame)
  })

  test('have nothing of the turn before', async () => {
    const flush = new FrameFlush()
    const outlet = new Writes()
    flush.add(outlet, Buffer.from('a'))
    await setImmediate()
    flush.add(outlet, Buffer.from('b'))
    await setImmediate()
    assert.deepEqual(outlet.chunks.map(String), ['a', 'b'])
  })

  test('are written once, also where a socket was flushed before its turn', async () => {
    const flush = new FrameFlush()
    const outlet = new Writes()
    flush.add(outlet, Buffer.from('a'))
    outlet.flush()
    flush.add(outlet, Buffer.from('b'))
    await setImmediate()
    assert.deepEqual(outlet.chunks.map(String), ['a', 'b'])
  })
})
