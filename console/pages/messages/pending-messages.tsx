import { More } from '../../parts/more.tsx'
import { PendingTable } from '../pending/pending-table.tsx'
import { usePending } from '../pending/use-pending.ts'

/** The messages that flows hold now, over all channels. */
export function PendingMessages() {
  const pages = usePending({})
  return (
    <>
      <PendingTable pages={pages} />
      <More pages={pages} what="The pending messages" />
    </>
  )
}
