import type { ProcessorEvent } from '../processor/processor-event.ts'
import type { Job } from '../store/tables.ts'
import { workingText } from './decision.ts'

/** The event for the step's processor, with the message as the processors before it have changed it. */
export function processorEvent(job: Job): ProcessorEvent {
  const { step, run, message } = job
  const text = workingText(job)
  const editedAt = run.requested_json === null ? message.edited_at : run.created_at
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
      ...(editedAt !== null && { LastEditedTimestamp: new Date(editedAt).toISOString() }),
      ...present('ContentType', text.content_type),
      ...present('MessageAttributes', text.message_attributes_json),
      ...present('PushNotification', text.push_notification_json),
      ...(message.target_arn !== null && { Target: [{ MemberArn: message.target_arn }] }),
    },
  }
}

const present = (member: string, json: string | null) => (json === null ? {} : { [member]: JSON.parse(json) })
