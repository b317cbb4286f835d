import Spinner from '@cloudscape-design/components/spinner'

/** Shows that something is on its way. */
export const Waiting = ({ label, fills = false }: { label: string; fills?: boolean }) => (
  <div className={fills ? 'waiting waiting-fills' : 'waiting'} role="status">
    <Spinner /> {label}…
  </div>
)
