import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorEvent } from '../../src/flow/event-for-processor.ts'
import type { Turn } from '../../src/store/tables.ts'
import { ana, ben, heldMessage, lobby } from '../support/rows.ts'

test('a processor is given what AWS documents, and no member that the message lacks', () => {
  const turn = turnOf(heldMessage({ message_id: 'm', content: '"h\\u0000i"', created_at: 1_500 }))
  assert.deepEqual(processorEvent(turn), {
    EventType: 'CHANNEL_MESSAGE_EVENT',
    CallbackId: turn.step.callback_id,
    ChannelMessage: {
      MessageId: 'm',
      ChannelArn: lobby,
      Content: 'h\0i',
      Sender: { Arn: ana, Name: 'Ana' },
      Persistence: 'PERSISTENT',
      Type: 'STANDARD',
      CreatedTimestamp: '1970-01-01T00:00:01.500Z',
    },
  })
})

test('a processor is given whatever else the message has', () => {
  const held = heldMessage({
    metadata: '"{}"',
    edited_at: 2_000,
    content_type: '"text/plain"',
    message_attributes_json: '{"colour":{"StringValues":["red"]}}',
    push_notification_json: '{"Title":"t","Body":"b","Type":"DEFAULT"}',
    target_arn: ben,
  })
  const { MessageId, ChannelArn, Content, Sender, Persistence, Type, CreatedTimestamp, ...further } = processorEvent(
    turnOf(held),
  ).ChannelMessage
  assert.deepEqual(further, {
    Metadata: '{}',
    LastEditedTimestamp: '1970-01-01T00:00:02.000Z',
    ContentType: 'text/plain',
    MessageAttributes: { colour: { StringValues: ['red'] } },
    PushNotification: { Title: 't', Body: 'b', Type: 'DEFAULT' },
    Target: [{ MemberArn: ben }],
  })
})

test('a processor is given the message as those before it left it: changed, cleared, or kept', () => {
  const turn = turnOf(heldMessage({ metadata: '"secret"', content_type: '"text/plain"' }))
  const run = { ...turn.run, text_json: JSON.stringify({ content: '"h***o"', metadata: null }) }
  const { Content, Metadata, ContentType } = processorEvent({ ...turn, run }).ChannelMessage
  assert.deepEqual([Content, Metadata, ContentType], ['h***o', undefined, 'text/plain'])
})

const turnOf = ({ message, flow }: ReturnType<typeof heldMessage>): Turn => ({
  ...flow,
  message: { ...message, seq: 1 },
})
