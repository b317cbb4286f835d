import ButtonDropdown from '@cloudscape-design/components/button-dropdown'
import { type Appearance, appearance, setAppearance } from '../appearance.ts'
import { signOut } from '../server/session.ts'
import { useSession } from '../session-context.ts'
import { useWatched } from '../watched.ts'

const appearances: Record<Appearance, string> = { system: 'As the system', light: 'Light', dark: 'Dark' }

export function AccountMenu({ onSignedOut }: { onSignedOut(reason: string): void }) {
  const { name, role, appInstanceArn } = useSession()
  const chosen = useWatched(appearance)
  const items = [
    {
      id: 'appearance',
      text: 'Appearance',
      items: Object.entries(appearances).map(([id, text]) => ({
        id,
        text,
        itemType: 'checkbox' as const,
        checked: chosen === id,
      })),
    },
    { id: 'sign-out', text: 'Sign out' },
  ]
  const choose = async (id: string) => {
    if (id !== 'sign-out') return setAppearance(id as Appearance)
    await signOut().then(
      () => onSignedOut('You are signed out.'),
      (error: Error) => onSignedOut(`You may still be signed in: ${error.message} The session ends by itself.`),
    )
  }
  return (
    <ButtonDropdown items={items} expandToViewport onItemClick={({ detail }) => choose(detail.id)}>
      {`${name} (${role}${appInstanceArn ? ' of one AppInstance' : ''})`}
    </ButtonDropdown>
  )
}
