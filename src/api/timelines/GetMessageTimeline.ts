import { optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, MessageId } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { noMessage } from '../channel-messages/channel-message.ts'
import { operation } from '../context.ts'
import { isInScope } from '../keys/key-summary.ts'
import { findTimeline } from './find-timeline.ts'
import { TimelineOutput } from './timeline-shapes.ts'
import { timelineToWire } from './timeline-to-wire.ts'

/**
 * What happened to a message in its channel's flows, for operators: its sender could use it to evade moderation. The
 * MessageId names its channel; one that this server did not make needs the ChannelArn.
 */
export const GetMessageTimeline = operation({
  name: 'GetMessageTimeline',
  service: 'carillon',
  http: 'GET /carillon/v1/messages/{MessageId}/timeline 200',
  input: { MessageId: path(MessageId), ChannelArn: query('channel-arn', optional(ChimeArn)) },
  output: TimelineOutput,
  errors: ['BadRequest', 'NotFound'],
  resources: ['ChannelArn'],
  allow: byCredentialsAlone,
  async handle(input, { read, messageIds, credentials }) {
    const timeline = await findTimeline(read, messageIds, input)
    if (!timeline || !isInScope(credentials, timeline.appInstanceArn)) throw noMessage()
    return timelineToWire(timeline)
  },
})
