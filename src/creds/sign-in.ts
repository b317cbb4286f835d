import { addUser } from '../api/app-instance-users/add-user.ts'
import { findUser } from '../api/app-instance-users/app-instance-user.ts'
import { requireAppInstance } from '../api/app-instances/app-instance.ts'
import { fromJsonText, toJson, toJsonText } from '../api/json-text.ts'
import { appInstanceUserArn } from '../contract/arn.ts'
import type { DerivedSecrets } from '../keys/derived-secrets.ts'
import { issueKeyFor } from '../keys/issue-key.ts'
import type { Store } from '../store/store.ts'
import type { Person } from './person.ts'

/** As long as AWS's chat sample asks for. */
const keyMs = 3_600_000

export interface SignInParts {
  store: Pick<Store, 'read' | 'transaction'>
  secrets: DerivedSecrets
  /** The AppInstance of the users. */
  appInstanceArn: string
  now(): number
}

/** The response of AWS's chat sample. */
export interface SignedIn {
  ChimeAppInstanceUserArn: string
  ChimeUserId: string
  ChimeDisplayName: string
  ChimeCredentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string; Expiration: string }
}

/**
 * Issues a temporary key to the AppInstanceUser of the person, who is created at the first time. An existing user keeps
 * its name and metadata. Throws a SuspendedSubject.
 */
export async function signIn(parts: SignInParts, person: Person): Promise<SignedIn> {
  const { store, secrets, appInstanceArn, now } = parts
  const nowMs = now()
  const userArn = appInstanceUserArn(appInstanceArn, person.uuid)
  const name = (await findUser(store.read, userArn))?.name ?? (await createUser(parts, userArn, person, nowMs))
  const grant = { kind: 'user', userArn, directory: true } as const
  const key = await issueKeyFor({ read: store.read, secrets }, { grant, name: 'creds', durationMs: keyMs }, nowMs)
  return {
    ChimeAppInstanceUserArn: userArn,
    ChimeUserId: person.uuid,
    ChimeDisplayName: fromJsonText(name),
    ChimeCredentials: {
      AccessKeyId: key.accessKeyId,
      SecretAccessKey: key.secretAccessKey,
      SessionToken: key.sessionToken,
      Expiration: new Date(key.expiresAtMs).toISOString(),
    },
  }
}

/** Returns the name as the row has it. Another sign-in of the person may have created the user meanwhile. */
function createUser(
  { store, appInstanceArn }: SignInParts,
  arn: string,
  { displayName, metadata }: Person,
  nowMs: number,
): Promise<string> {
  return store.transaction(async (transaction) => {
    await requireAppInstance(transaction, appInstanceArn)
    const existing = await findUser(transaction, arn)
    if (existing) return existing.name
    const user = { arn, appInstanceArn, name: toJsonText(displayName), metadata: toJson(metadata) }
    await addUser(transaction, user, nowMs)
    return user.name
  })
}
