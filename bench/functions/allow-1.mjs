import { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'

const chime = new ChimeSDKMessagingClient({})

/** A local function that lets every message pass, written as one for AWS Lambda is. */
export async function handler({ CallbackId, ChannelMessage: { ChannelArn, MessageId, Content } }) {
  await chime.send(new ChannelFlowCallbackCommand({ ChannelArn, CallbackId, ChannelMessage: { MessageId, Content } }))
}
