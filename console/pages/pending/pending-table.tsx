import Table from '@cloudscape-design/components/table'
import type { ReactNode } from 'react'
import { ChannelLink, MessageLink, UserId } from '../../parts/references.tsx'
import { Age } from '../../parts/times.tsx'
import type { PendingMessage } from '../../server/messages.ts'
import type { Pages } from '../../use-pages.ts'

interface Props {
  pages: Pages<PendingMessage>
  header?: ReactNode
  /** Rows can be selected if it is given. */
  selection?: { selected: PendingMessage[]; onChange(selected: PendingMessage[]): void }
}

/** The messages that flows hold now. */
export const PendingTable = ({ pages, header, selection }: Props) => (
  <Table<PendingMessage>
    items={pages.messages}
    trackBy={rowId}
    header={header}
    {...(selection && {
      selectionType: 'multi',
      selectedItems: selection.selected,
      onSelectionChange: ({ detail }) => selection.onChange(detail.selectedItems),
    })}
    loading={pages.isLoading && pages.messages.length === 0}
    loadingText="Reading the pending messages"
    ariaLabels={{
      tableLabel: 'Pending messages',
      selectionGroupLabel: 'Select messages',
      allItemsSelectionLabel: () => 'Select all that are shown',
      itemSelectionLabel: (_selected, { MessageId }) => `Select ${MessageId}`,
    }}
    empty="No message is held here now."
    columnDefinitions={columns}
  />
)

/** A message and an update of it can be held one after the other. */
export const rowId = ({ MessageId, Revision }: PendingMessage): string => `${MessageId} ${Revision}`

const waitTexts: Record<PendingMessage['WaitsFor'], string> = {
  PROCESSOR: 'a place at it',
  RETRY: 'the next attempt',
  CALLBACK: 'its callback',
}

const columns = [
  {
    id: 'id',
    header: 'Message',
    cell: ({ MessageId, ChannelArn }: PendingMessage) => <MessageLink id={MessageId} channelArn={ChannelArn} />,
    isRowHeader: true,
  },
  {
    id: 'age',
    header: 'Held for',
    cell: ({ AcceptedTimestamp }: PendingMessage) => <Age since={AcceptedTimestamp} />,
  },
  { id: 'function', header: 'Processor', cell: ({ FunctionName }: PendingMessage) => FunctionName },
  { id: 'for', header: 'Waits for', cell: ({ WaitsFor }: PendingMessage) => waitTexts[WaitsFor] },
  {
    id: 'deadline',
    header: 'Deadline in',
    cell: ({ DeadlineTimestamp }: PendingMessage) => <Age until={DeadlineTimestamp} />,
  },
  { id: 'sender', header: 'Sender', cell: ({ SenderArn }: PendingMessage) => <UserId arn={SenderArn} /> },
  {
    id: 'channel',
    header: 'Channel',
    cell: ({ ChannelArn, ChannelName }: PendingMessage) => <ChannelLink arn={ChannelArn} name={ChannelName} />,
  },
]
