/**
 * What a processor receives, as AWS's guide "Processor setup" has it for channel flows. Members after
 * LastEditedTimestamp are ours, there when the message has them; no known processor minds further members.
 */
export interface ProcessorEvent {
  EventType: 'CHANNEL_MESSAGE_EVENT'
  /** Names this step; the processor gives it back in ChannelFlowCallback. The same again when an event is sent again. */
  CallbackId: string
  ChannelMessage: {
    MessageId: string
    ChannelArn: string
    Content: string
    Metadata?: string
    Sender: { Arn: string; Name: string }
    Persistence: string
    Type: string
    /** ISO 8601, UTC, three fraction digits. */
    CreatedTimestamp: string
    LastEditedTimestamp?: string
    ContentType?: string
    MessageAttributes?: Record<string, { StringValues?: string[] }>
    PushNotification?: { Title?: string; Body?: string; Type?: string }
    Target?: { MemberArn?: string }[]
  }
}
