import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { sample } from './sample.ts'

const { redact, passesLuhn } = await sample('redact-personal-data.mjs')
const { hasWord, readWords } = await sample('deny-words/index.mjs')
const { sign } = await sample('sign.mjs')

suite('redact-personal-data', () => {
  const replaced = [
    ['Write to ann@example.com.', 'Write to [mail].'],
    ['ann.b+news@mail.example.co.uk, jörg@müller.de', '[mail], [mail]'],
    ['Pay with 4111111111111111!', 'Pay with [card]!'],
    ['4111 1111 1111 1111 12/28 123', '[card] 12/28 123'],
    ['5555-5555-5555-4444', '[card]'],
    ['3782 822463 10005', '[card]'],
    ['Call +44 (20) 7946 0018 now', 'Call [phone] now'],
    ['+1 212 555 0142 on 2026-01-02', '[phone] on 2026-01-02'],
    ['(212) 555-0142 or 212.555.0142', '[phone] or [phone]'],
    ['0049 30 901820, 020 7946 0018', '[phone], [phone]'],
    ['Tel.0171/2345678', 'Tel.[phone]'],
    ['01 42 68 53 00', '[phone]'],
  ]
  for (const [text, expected] of replaced) {
    test(`makes "${expected}" of "${text}"`, () => assert.equal(redact(text), expected))
  }

  const kept = [
    'Order 4111111111111112 of 2026-01-02',
    'Order 1234567890, part RE-0171-2345678',
    'On 01.02.2026 at 10:30, or 12/24/2026 0900-1730',
    '2026-01-02T03:04:05.678Z',
    '192.168.100.200:8080',
    '1700000000000 ms',
    'Room 1204, dial 112, cost 1,234,567.89, pi 3.14159265358979',
    '@ann knows; 5 @ 3.50',
  ]
  for (const text of kept) test(`leaves "${text}" alone`, () => assert.equal(redact(text), text))

  test('never makes a text longer', () => {
    for (const text of ['a@b.co', '+12345678', '4111111111111111']) assert.ok(redact(text).length <= text.length)
  })

  test('knows the check digit of a card', () => {
    assert.ok(passesLuhn('79927398713'))
    assert.ok(!passesLuhn('79927398710'))
  })
})

suite('deny-words', () => {
  const words = readWords('# a comment\nheck\n\nStraße  # and its name\n  naïve\r\nчёрт\n')

  for (const text of ['Oh heck!', 'HECK', '(heck)', 'what_the_heck_', 'STRASSE', 'nai\u0308ve', 'Чёрт', 'he\u00adck']) {
    test(`finds a word in ${JSON.stringify(text)}`, () => assert.ok(hasWord(text, words)))
  }

  for (const text of ['heckler', 'check', 'Straßen', 'a comment', '', '…']) {
    test(`finds none in ${JSON.stringify(text)}`, () => assert.ok(!hasWord(text, words)))
  }
})

suite('sign', () => {
  test('puts the name behind the text', () => assert.equal(sign('Hello', 'first'), 'Hello · first'))

  test('leaves a text alone that has no room for the name', () => {
    const full = 'é'.repeat(2048)
    assert.equal(sign(full, 'first'), full)
  })
})
