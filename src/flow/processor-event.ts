import type { ProcessorEvent } from '../processor/processor-event.ts'
import type { Turn } from '../store/tables.ts'
import { changedText, workingText } from './decision.ts'

/** What the step's processor is given: the message as the processors before it left it. */
export function processorEvent({ step, run, message }: Turn): ProcessorEvent {
  const text = workingText(message, changedText(run))
  return {
    EventType: 'CHANNEL_MESSAGE_EVENT',
    CallbackId: step.callback_id,
    ChannelMessage: {
      MessageId: message.message_id,
      ChannelArn: message.channel_arn,
      Content: JSON.parse(text.content),
      ...present('Metadata', text.metadata),
      Sender: { Arn: message.sender_arn, Name: JSON.parse(message.sender_name) },
      Persistence: message.persistence,
      Type: message.type,
      CreatedTimestamp: new Date(message.created_at).toISOString(),
      ...(message.edited_at !== null && { LastEditedTimestamp: new Date(message.edited_at).toISOString() }),
      ...present('ContentType', text.content_type),
      ...present('MessageAttributes', text.message_attributes_json),
      ...present('PushNotification', text.push_notification_json),
      ...(message.target_arn !== null && { Target: [{ MemberArn: message.target_arn }] }),
    },
  }
}

const present = (member: string, json: string | null) => (json === null ? {} : { [member]: JSON.parse(json) })
