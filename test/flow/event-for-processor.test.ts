import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorEvent } from '../../src/flow/event-for-processor.ts'
import type { Job } from '../../src/store/tables.ts'
import { ana, ben, heldMessage, lobby } from '../support/rows.ts'

test('an event has the members that AWS documents, and none that the message lacks', () => {
  const job = jobOf(heldMessage({ message_id: 'm', content: '"h\\u0000i"', created_at: 1_500 }))
  assert.deepEqual(processorEvent(job), {
    EventType: 'CHANNEL_MESSAGE_EVENT',
    CallbackId: job.step.callback_id,
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

test('an event has every optional member of the message', () => {
  const held = heldMessage({
    metadata: '"{}"',
    edited_at: 2_000,
    content_type: '"text/plain"',
    message_attributes_json: '{"colour":{"StringValues":["red"]}}',
    push_notification_json: '{"Title":"t","Body":"b","Type":"DEFAULT"}',
    target_arn: ben,
  })
  const { MessageId, ChannelArn, Content, Sender, Persistence, Type, CreatedTimestamp, ...further } = processorEvent(
    jobOf(held),
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

test('an event has the changes of earlier processors: members changed, cleared, or kept', () => {
  const job = jobOf(heldMessage({ metadata: '"secret"', content_type: '"text/plain"' }))
  const run = { ...job.run, text_json: JSON.stringify({ content: '"h***o"', metadata: null }) }
  const { Content, Metadata, ContentType } = processorEvent({ ...job, run }).ChannelMessage
  assert.deepEqual([Content, Metadata, ContentType], ['h***o', undefined, 'text/plain'])
})

const jobOf = ({ message, flow }: ReturnType<typeof heldMessage>): Job => ({
  ...flow,
  message: { ...message, seq: 1 },
})
