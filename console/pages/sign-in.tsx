import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type FormEvent, useState } from 'react'
import { Brand } from '../parts/brand.tsx'
import { Failure } from '../parts/failure.tsx'
import { useTitle } from '../parts/use-title.ts'
import { type Session, signIn } from '../server/session.ts'

interface Props {
  reason: string | undefined
  onSignedIn(session: Session): void
}

export function SignIn({ reason, onSignedIn }: Props) {
  useTitle('Sign in')
  const [accessKeyId, setAccessKeyId] = useState('')
  const [secretAccessKey, setSecretAccessKey] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  const isComplete = accessKeyId !== '' && secretAccessKey !== ''
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!isComplete || isBusy) return
    setBusy(true)
    setError(undefined)
    await signIn({ accessKeyId: accessKeyId.trim(), secretAccessKey: secretAccessKey.trim() }).then(
      onSignedIn,
      setError,
    )
    setBusy(false)
  }
  return (
    <main className="narrow">
      <Brand large />
      <div className="card">
        <form onSubmit={submit}>
          <SpaceBetween size="l">
            <h1>Sign in</h1>
            {reason && <Alert type="info">{reason}</Alert>}
            <p className="quiet">
              Open the link that <code>npm start</code> printed, or run <code>npx carillon console</code> for a new one.
              Elsewhere, sign in with an operator's key.
            </p>
            <FormField label="Access key ID">
              <Input
                value={accessKeyId}
                onChange={({ detail }) => setAccessKeyId(detail.value)}
                autoComplete="username"
                spellcheck={false}
              />
            </FormField>
            <FormField label="Secret access key">
              <Input
                type="password"
                value={secretAccessKey}
                onChange={({ detail }) => setSecretAccessKey(detail.value)}
                autoComplete="current-password"
              />
            </FormField>
            {error && <Failure what="You are not signed in" error={error} />}
            <Button
              variant="primary"
              formAction="submit"
              loading={isBusy}
              loadingText="Signing in"
              disabled={!isComplete}
            >
              Sign in
            </Button>
          </SpaceBetween>
        </form>
      </div>
    </main>
  )
}
