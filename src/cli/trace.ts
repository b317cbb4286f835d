import { MessageIds } from '../api/channel-messages/message-ids.ts'
import { findTimeline } from '../api/timelines/find-timeline.ts'
import { timelineToWire } from '../api/timelines/timeline-to-wire.ts'
import { ConfigError } from '../config.ts'
import { timelineText } from '../flow/timeline-text.ts'
import { keepKeys } from '../keys/kept-keys.ts'
import { systemClock } from '../runtime/clock.ts'
import { takeFlags } from './own-flags.ts'
import { withStore } from './with-store.ts'

const usage = `npx carillon trace MESSAGE_ID [--channel ARN] [--json]
    shows what happened to a message in its channel's flows`

const unknownMessage = `No flow has had this message, or its timeline has been deleted since.
If another server made the MessageId, name its channel by --channel ARN.`

/** `carillon trace`: the timeline of a message. The server of the store may be running. */
export async function trace([messageId = '', ...rest]: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  if (!/^[-\w]{1,128}$/.test(messageId) || messageId.startsWith('-')) throw new ConfigError([usage])
  const { flags, others } = takeFlags(rest, { '--channel': 'value', '--json': 'no value' })
  const { '--channel': channelArn, '--json': json } = flags
  return withStore(others, environment, async (store) => {
    const { secrets } = await keepKeys(store, undefined, systemClock.now())
    const messageIds = new MessageIds(secrets.mac('messageIds', ''), Math.random)
    const timeline = await findTimeline(store.read, messageIds, { MessageId: messageId, ChannelArn: channelArn })
    if (!timeline) {
      console.error(unknownMessage)
      return 1
    }
    console.log(json !== undefined ? JSON.stringify(timelineToWire(timeline), null, 2) : timelineText(timeline))
    return 0
  })
}
