import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findBreak, parseJson } from '../../src/http/parse-json.ts'

const parse = (text: string) => parseJson(Buffer.from(text))

test('text in any script is parsed', () =>
  assert.deepEqual(parse('{"Content":"grüß 😀 \\ud83d\\ude00"}'), { Content: 'grüß 😀 😀' }))

test('a byte order mark is left out', () => assert.deepEqual(parse('\ufeff{"a":1}'), { a: 1 }))

test('of a name given twice the last one counts', () => assert.deepEqual(parse('{"a":1,"a":2}'), { a: 2 }))

test('ten thousand levels are parsed', () => assert.ok(Array.isArray(parse('['.repeat(10_000) + ']'.repeat(10_000)))))

test('__proto__ is a name like any other', () => {
  const parsed = parse('{"__proto__":{"polluted":true}}') as { polluted?: boolean }
  assert.deepEqual(Object.keys(parsed), ['__proto__'])
  assert.equal(parsed.polluted, undefined)
})

test('what is not UTF-8 is refused', () => {
  const refused = { code: 'BadRequest', message: 'The request body is not UTF-8: it must be JSON, and not compressed' }
  assert.throws(() => parseJson(Buffer.from([0x22, 0xff, 0x22])), refused)
  assert.throws(() => parseJson(Buffer.from('{"a":1}', 'utf16le').subarray(0, 7)), /not JSON/)
})

const breaks: [text: string, where: string][] = [
  ['', 'ends too early at line 1, column 1'],
  ['{"Content":"secret"', 'ends too early at line 1, column 20'],
  ['{"Content":', 'ends too early at line 1, column 12'],
  ['{\n  "Content": secret\n}', 'breaks at line 2, column 14'],
  ['{"Content":"secret",}', 'breaks at line 1, column 21'],
  ["{'Content':1}", 'breaks at line 1, column 2'],
  ['{"Content" "secret"}', 'breaks at line 1, column 2'],
  ['{"Content":"secret\n"}', 'breaks at line 1, column 12'],
  ['{"Content":"sec\\ret\\x"}', 'breaks at line 1, column 12'],
  ['[1,]', 'breaks at line 1, column 4'],
  ['[1 2]', 'breaks at line 1, column 4'],
  ['[}', 'breaks at line 1, column 2'],
  ['{"a":[{},[ ],{"b":null}],"c":tru}', 'breaks at line 1, column 30'],
  ['{} {}', 'breaks at line 1, column 4'],
  ['01', 'breaks at line 1, column 2'],
  ['\ufeff\ufeff{}', 'breaks at line 1, column 1'],
]
for (const [text, where] of breaks) {
  test(`${JSON.stringify(text)} ${where}, and the message repeats nothing of it`, () => {
    assert.throws(() => parse(text), { code: 'BadRequest', message: `The request body is not JSON: it ${where}` })
  })
}

test('wherever a text is cut off or gets a stray character, the break is found there or at the token before', () => {
  const json = fc.json({ maxDepth: 4 }).filter((text) => /^[[{]/.test(text))
  fc.assert(
    fc.property(json, fc.nat(), (text, at) => {
      const cut = at % text.length
      assert.ok(findBreak(text.slice(0, cut)) <= cut)
      assert.ok(findBreak(`${text.slice(0, cut)}\u0000${text.slice(cut)}`) <= cut)
    }),
  )
})

test('a megabyte of openings, of one text or of blanks breaks soon', () => {
  const size = 1024 * 1024
  assert.equal(findBreak('['.repeat(size)), size)
  assert.equal(findBreak(`["${'\\n'.repeat(size / 2)}" 1]`), size + 4)
  assert.equal(findBreak(' '.repeat(size)), size)
})
