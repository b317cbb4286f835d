import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { FrameReader, opcodes } from '../../bench/wire/frame-reader.ts'
import { textFrame } from '../../src/session/text-frame.ts'

/** The texts of the frames, each in one piece and not masked. */
function received(bytes: Buffer): string[] {
  return [...new FrameReader().read(bytes)].map(({ opcode, payload }) => {
    assert.equal(opcode, opcodes.text)
    return payload.toString()
  })
}

suite('a text frame', () => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]) {
    test(`of ${length} bytes is read as its text`, () => {
      const text = 'x'.repeat(length)
      assert.deepEqual(received(textFrame(text)), [text])
    })
  }

  test('counts bytes, not characters', () => {
    const texts = ['é'.repeat(63), '€'.repeat(22_000), '😀']
    assert.deepEqual(received(Buffer.concat(texts.map(textFrame))), texts)
  })
})
