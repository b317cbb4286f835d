import { useFollowed } from '../../live/use-followed.ts'
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
  useFollowed(pages, () => true)
  return pages
}
