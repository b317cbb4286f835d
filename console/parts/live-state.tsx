import { connection } from '../live/live.ts'
import { useWatched } from '../watched.ts'

const texts = {
  connecting: 'Connecting',
  open: 'Live',
  lost: 'Reconnecting',
}

export function LiveState() {
  const state = useWatched(connection)
  return (
    <span className={`live live-${state}`} role="status" title={hints[state]}>
      <span className="live-dot" aria-hidden="true" />
      {texts[state]}
    </span>
  )
}

const hints = {
  connecting: 'The page connects to the server.',
  open: 'What you see follows the server within a second.',
  lost: 'The connection to the server is lost: what you see may be old. The page tries again by itself.',
}
