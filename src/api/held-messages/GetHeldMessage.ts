import Type from 'typebox'
import { optional, path, query } from '../../contract/binding.ts'
import { ChimeArn, MessageId } from '../../contract/shapes.ts'
import { workingText } from '../../flow/decision.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { fromJson, fromJsonText } from '../json-text.ts'
import { requireHeld } from './held-message.ts'

/**
 * The text of a message that a flow holds now, as the processors before have changed it, for a person who decides. The
 * audit log has who read it.
 */
export const GetHeldMessage = operation({
  name: 'GetHeldMessage',
  service: 'carillon',
  http: 'GET /carillon/v1/messages/{MessageId}/text 200',
  input: { MessageId: path(MessageId), ChannelArn: query('channel-arn', optional(ChimeArn)) },
  output: {
    MessageId: Type.String(),
    ChannelArn: ChimeArn,
    SenderArn: ChimeArn,
    Content: Type.String(),
    Metadata: optional(Type.String()),
  },
  errors: ['BadRequest', 'Conflict', 'NotFound'],
  resources: ['ChannelArn'],
  audited: ['MessageId'],
  allow: byCredentialsAlone,
  async handle(reference, context) {
    const job = await requireHeld(reference, context)
    const text = workingText(job)
    return {
      MessageId: reference.MessageId,
      ChannelArn: job.step.channel_arn,
      SenderArn: job.message.sender_arn,
      Content: fromJsonText(text.content),
      Metadata: fromJson<string>(text.metadata),
    }
  },
})
