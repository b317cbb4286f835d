import Table from '@cloudscape-design/components/table'
import { useFollowed } from '../../live/use-followed.ts'
import { More } from '../../parts/more.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { MessageLink, UserId } from '../../parts/references.tsx'
import { Time } from '../../parts/times.tsx'
import { usePlace } from '../../router.ts'
import { type ListedMessage, listMessages } from '../../server/messages.ts'
import { usePages } from '../../use-pages.ts'
import { ChannelFilters } from './channel-filters.tsx'

/** The messages of one channel, by sender, status and time. The filters are in the address. */
export function ChannelMessages() {
  const { query } = usePlace()
  const channelArn = query.get('channel') ?? ''
  return (
    <>
      <ChannelFilters />
      {channelArn === '' ? (
        <p className="quiet">Paste the ARN of a channel, or follow the link of one in another list.</p>
      ) : (
        <Found query={query} channelArn={channelArn} />
      )}
    </>
  )
}

function Found({ query, channelArn }: { query: URLSearchParams; channelArn: string }) {
  const filters = filtersOf(query)
  const pages = usePages(JSON.stringify([channelArn, filters]), (token, signal) =>
    listMessages({ 'channel-arn': channelArn, ...filters, 'next-token': token }, signal),
  )
  useFollowed(pages, (changed) => changed.channelArn === channelArn)
  const name = pages.last?.ChannelName
  return (
    <>
      {name && <h2>{name}</h2>}
      <Table
        items={pages.messages}
        trackBy={({ MessageId }: ListedMessage) => MessageId}
        loading={pages.isLoading && pages.messages.length === 0}
        loadingText="Searching the channel"
        ariaLabels={{ tableLabel: 'Messages of the channel' }}
        empty={pages.last?.NextToken ? 'None found so far.' : 'No message of the channel fits these filters.'}
        columnDefinitions={[
          {
            id: 'id',
            header: 'Message',
            cell: ({ MessageId, ChannelArn }) => <MessageLink id={MessageId} channelArn={ChannelArn} />,
            isRowHeader: true,
          },
          { id: 'at', header: 'Sent at', cell: ({ CreatedTimestamp }) => <Time seconds={CreatedTimestamp} /> },
          { id: 'status', header: 'Status', cell: ({ Status }) => <Outcome status={Status} /> },
          { id: 'sender', header: 'Sender', cell: ({ SenderArn }) => <UserId arn={SenderArn} /> },
          { id: 'why', header: 'Why', cell: ({ Detail }) => Detail ?? '–' },
        ]}
      />
      <More pages={pages} what="The messages" />
    </>
  )
}

const filtersOf = (query: URLSearchParams) => ({
  'sender-arn': query.get('sender') ?? undefined,
  status: query.get('status') ?? undefined,
  'not-before': timeOf(query.get('from')),
  'not-after': timeOf(query.get('to')),
})

/** The value of an input of the kind `datetime-local`, in the reader's zone. */
function timeOf(value: string | null): string | undefined {
  const date = new Date(value ?? '')
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
