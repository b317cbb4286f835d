import type { Pages } from '../use-pages.ts'
import type { ChangedMessage } from './live.ts'
import { useFrames } from './use-live.ts'

/** Reads the list again when a message that concerns it has changed, as long as only its first page is shown. */
export function useFollowed<Message>(pages: Pages<Message>, concerns: (changed: ChangedMessage) => boolean): void {
  useFrames(({ messages }) => {
    const isAtStart = pages.messages.length <= (pages.last?.Messages.length ?? 0)
    if (isAtStart && messages.some(concerns)) pages.reload()
  })
}
