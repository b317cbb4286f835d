import Button from '@cloudscape-design/components/button'
import type { Pages } from '../use-pages.ts'
import { Failure } from './failure.tsx'
import { Time } from './times.tsx'

/** What stands below a list: how to go on, or why it could not be read. */
export function More<Message>({ pages, what }: { pages: Pages<Message>; what: string }) {
  const { error, last, isLoading, more, reload, messages } = pages
  if (error)
    return <Failure what={`${what} could not be read`} error={error} retry={messages.length > 0 ? more : reload} />
  if (!last?.NextToken) return null
  const isSearch = last.SearchedTo !== undefined
  return (
    <div className="more">
      {last.SearchedTo !== undefined && (
        <span className="quiet">
          Searched back to <Time seconds={last.SearchedTo} />.
        </span>
      )}
      <Button onClick={more} loading={isLoading} loadingText={isSearch ? 'Searching' : 'Loading'}>
        {isSearch ? 'Search on' : 'Show more'}
      </Button>
    </div>
  )
}
