import Alert from '@cloudscape-design/components/alert'

/** Says what an act has done, until the reader closes it. */
export const Done = ({ summary, onClose }: { summary: string | undefined; onClose(): void }) =>
  summary && (
    <Alert type="success" dismissible dismissAriaLabel="Close" onDismiss={onClose}>
      {summary}
    </Alert>
  )
