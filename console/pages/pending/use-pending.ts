import { useFrames } from '../../live/use-live.ts'
import { listPending, type PendingMessage } from '../../server/messages.ts'
import { type Pages, usePages } from '../../use-pages.ts'

interface Filter {
  functionName?: string | undefined
  olderThanSeconds?: string | undefined
}

/** The pending messages, the oldest first. The list follows the server as long as only its first page is shown. */
export function usePending({ functionName, olderThanSeconds }: Filter): Pages<PendingMessage> {
  const query = { 'function-name': functionName, 'older-than': olderThanSeconds }
  const pages = usePages(JSON.stringify(['pending', query]), (token, signal) =>
    listPending({ ...query, 'next-token': token }, signal),
  )
  useFrames(({ messages }) => {
    const isAtStart = pages.messages.length <= (pages.last?.Messages.length ?? 0)
    if (isAtStart && messages.length > 0) pages.reload()
  })
  return pages
}
