import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import { CallError } from '../server/call.ts'

interface Props {
  /** What did not work: `The messages could not be read`. */
  what: string
  error: Error
  retry?: () => void
}

/** What has failed, why, and what the reader can do. */
export const Failure = ({ what, error, retry }: Props) => (
  <Alert type="error" header={what} action={retry && <Button onClick={retry}>Try again</Button>}>
    {error.message} {adviceFor(error)}
  </Alert>
)

function adviceFor(error: Error): string {
  if (!(error instanceof CallError)) return 'This is a bug in the console: reload the page, and please report it.'
  const { status } = error
  if (status === 0) return 'It may be stopped, or the network is down. Start it where it runs, then try again.'
  if (status === 401) return 'Check the key, or run "npx carillon console" where the server runs for a link.'
  if (status === 403) return 'Sign in with a key whose role may do this; "npx carillon keys list" shows the roles.'
  if (status === 404) return 'It may have been decided or deleted, or its timeline is no longer kept.'
  if (status === 409) return 'Reload to see what has happened meanwhile.'
  if (status === 429 || status === 503) return 'The server is busy: try again in a moment.'
  if (status >= 500) return "The server's log has the reason."
  return ''
}
