import { useFrames } from '../live/use-live.ts'
import { readTimeline, type Timeline } from '../server/messages.ts'
import { type Loaded, useLoaded } from '../use-loaded.ts'

/** The timeline of a message, read again whenever the message changes. */
export function useTimeline(messageId: string, channelArn: string | undefined): Loaded<Timeline> {
  const loaded = useLoaded(`${messageId} ${channelArn}`, (signal) => readTimeline(messageId, channelArn, signal))
  useFrames(({ messages }) => {
    if (messages.some((changed) => changed.messageId === messageId)) loaded.reload()
  })
  return loaded
}
