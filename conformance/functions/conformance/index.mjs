/*
 * The processor of the conformance flow. It gives no verdict: it sends the CallbackId into the channel that the message
 * names in its Metadata, where a program that has only an endpoint and a key can read it, and give the verdict itself.
 */
import { ChimeSDKMessagingClient, SendChannelMessageCommand } from '@aws-sdk/client-chime-sdk-messaging'

const chime = new ChimeSDKMessagingClient({})

export async function handler({ CallbackId, ChannelMessage }) {
  const { MessageId, Metadata: ChannelArn, Sender } = ChannelMessage
  await chime.send(
    new SendChannelMessageCommand({
      ChannelArn,
      ChimeBearer: Sender.Arn,
      Content: CallbackId,
      Metadata: MessageId,
      Type: 'STANDARD',
      Persistence: 'PERSISTENT',
      ClientRequestToken: CallbackId,
    }),
  )
}
