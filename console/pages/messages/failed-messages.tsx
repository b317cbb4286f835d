import Table from '@cloudscape-design/components/table'
import { useFollowed } from '../../live/use-followed.ts'
import { More } from '../../parts/more.tsx'
import { ChannelLink, MessageLink } from '../../parts/references.tsx'
import { Time } from '../../parts/times.tsx'
import { type FailedMessage, listFailed } from '../../server/messages.ts'
import { usePages } from '../../use-pages.ts'

/** The messages and updates that failed, over all channels. */
export function FailedMessages() {
  const pages = usePages('failed', (token, signal) => listFailed({ 'next-token': token }, signal))
  useFollowed(pages, ({ status }) => status === 'FAILED')
  return (
    <>
      <Table
        items={pages.messages}
        trackBy={({ MessageId, EndedTimestamp }: FailedMessage) => `${MessageId} ${EndedTimestamp}`}
        loading={pages.isLoading && pages.messages.length === 0}
        loadingText="Reading the failed messages"
        ariaLabels={{ tableLabel: 'Failed messages' }}
        empty="No message has failed. A message fails if its processor cannot be reached, or has not answered in time."
        columnDefinitions={[
          {
            id: 'id',
            header: 'Message',
            cell: ({ MessageId, ChannelArn }) => <MessageLink id={MessageId} channelArn={ChannelArn} />,
            isRowHeader: true,
          },
          { id: 'at', header: 'Failed at', cell: ({ EndedTimestamp }) => <Time seconds={EndedTimestamp} /> },
          { id: 'function', header: 'Processor', cell: ({ FunctionName }) => FunctionName ?? '–' },
          { id: 'why', header: 'Why', cell: ({ Detail }) => Detail ?? '–' },
          {
            id: 'channel',
            header: 'Channel',
            cell: ({ ChannelArn, ChannelName }) => <ChannelLink arn={ChannelArn} name={ChannelName} />,
          },
        ]}
      />
      <More pages={pages} what="The failed messages" />
    </>
  )
}
