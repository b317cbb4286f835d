import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterEvent, type Conversation, type WireMessage } from '../../console/pages/try-it/conversation.ts'

const hello: WireMessage = {
  MessageId: '1',
  Content: 'hello',
  Type: 'STANDARD',
  Sender: { Arn: 'ada', Name: 'Ada' },
  CreatedTimestamp: '2026-01-01T00:00:00.000Z',
}

const after = (...events: [kind: string, message: WireMessage][]): Conversation =>
  events.reduce<Conversation>((all, [kind, message]) => afterEvent(all, `${kind}_CHANNEL_MESSAGE`, message), [])

test('a message is PENDING until its event says what it came to', () => {
  assert.equal(after(['PENDING_CREATE', hello])[0]?.status, 'PENDING')
  const [sent, ...others] = after(['PENDING_CREATE', hello], ['CREATE', { ...hello, Content: 'hi' }])
  assert.deepEqual([sent?.status, sent?.content, others.length], ['SENT', 'hi', 0])
})

test('a response that comes after the event changes nothing', () => {
  const [message] = after(['CREATE', { ...hello, Content: 'hi' }], ['PENDING_CREATE', hello])
  assert.deepEqual([message?.status, message?.content], ['SENT', 'hi'])
})

test('the sender keeps the text of a denied message, with the reason', () => {
  const { Content, ...withoutText } = hello
  const denial = { ...withoutText, Status: { Value: 'DENIED', Detail: 'PROFANITY' } }
  const [message] = after(['PENDING_CREATE', hello], ['DENIED_CREATE', denial])
  assert.deepEqual([message?.status, message?.content, message?.detail], ['DENIED', Content, 'PROFANITY'])
})

test('an update that is denied changes no text', () => {
  const update = { ...hello, Content: 'changed' }
  const [denied] = after(['CREATE', hello], ['PENDING_UPDATE', update], ['DENIED_UPDATE', hello])
  assert.deepEqual([denied?.content, denied?.update, denied?.isEdited], ['hello', 'DENIED', false])
  const [sent] = after(['CREATE', hello], ['UPDATE', update])
  assert.deepEqual([sent?.content, sent?.isEdited], ['changed', true])
})

test('a redacted message has no text, and a deleted one is gone', () => {
  const [redacted] = after(['CREATE', hello], ['REDACT', { ...hello, Redacted: true }])
  assert.deepEqual([redacted?.isRedacted, redacted?.content], [true, ''])
  assert.deepEqual(after(['CREATE', hello], ['DELETE', { MessageId: '1' }]), [])
})

test('events of other kinds, and without a message, are left out', () => {
  assert.deepEqual(afterEvent([], 'CREATE_CHANNEL_MEMBERSHIP', hello), [])
  assert.deepEqual(afterEvent([], 'CREATE_CHANNEL_MESSAGE', {}), [])
})
