import type { DerivedSecrets } from './derived-secrets.ts'
import type { Grant } from './grant.ts'
import type { Credentials, Key } from './key.ts'
import { keyIdOf, newKeyId } from './key-ids.ts'

/** What a temporary key is made of. */
export interface TemporaryKey {
  grant: Grant
  /** The number of the user, for a user's key: one that is created again under its ARN does not inherit the key. */
  userId?: number | undefined
  /** The access key that asked for this one, if one did. */
  parentId?: string | undefined
  /** For the audit log: the session name of AssumeRole, the subject of a web identity. */
  name?: string | undefined
  issuedAtMs: number
  expiresAtMs: number
}

/** Clients keep a session token in headers and URLs. */
const sessionTokenBytesMax = 1_024

/**
 * Makes a key that no row is written for: all of it is in its session token, which only this store's nodes can sign, and
 * its secret is derived from its id.
 */
export function issueTemporaryKey(secrets: DerivedSecrets, key: TemporaryKey): Required<Credentials> {
  const accessKeyId = newKeyId('ASIA')
  const sessionToken = secrets.sign('temporaryToken', JSON.stringify({ ...key, id: accessKeyId }))
  if (sessionToken.length >= sessionTokenBytesMax) throw new Error(`a session token has ${sessionToken.length} bytes`)
  return { accessKeyId, secretAccessKey: temporarySecret(secrets, accessKeyId), sessionToken }
}

/** The temporary key with this id and session token, or undefined if this store never made such a key. */
export function readTemporaryKey(
  secrets: DerivedSecrets,
  accessKeyId: string,
  sessionToken: string,
): (Key & TemporaryKey) | undefined {
  if (sessionToken.length >= sessionTokenBytesMax) return undefined
  const text = secrets.verify('temporaryToken', sessionToken)
  if (text === undefined) return undefined
  const { id, ...key } = JSON.parse(text) as TemporaryKey & { id: string }
  if (id !== accessKeyId) return undefined
  return { ...key, accessKeyId, secretAccessKey: temporarySecret(secrets, accessKeyId), sessionToken }
}

const temporarySecret = (secrets: DerivedSecrets, accessKeyId: string) =>
  secrets.mac('temporarySecret', accessKeyId).toString('base64url').slice(0, 40)

/**
 * The key of a function of this server, without a row and without an end: the same on every node and after every
 * restart. What it may do besides ChannelFlowCallback, its function.json says at the time of a call.
 */
export function functionKey(secrets: DerivedSecrets, functionName: string): Required<Credentials> {
  const accessKeyId = keyIdOf('ASIA', secrets.mac('functionId', functionName))
  return {
    accessKeyId,
    secretAccessKey: secrets.mac('functionSecret', functionName).toString('base64url').slice(0, 40),
    sessionToken: secrets.sign('functionToken', functionName),
  }
}

/** `actAsOf`: the ids of the users as which the function may act. */
export function readFunctionKey(
  secrets: DerivedSecrets,
  accessKeyId: string,
  sessionToken: string,
  actAsOf: (functionName: string) => readonly string[],
): Key | undefined {
  if (sessionToken.length >= sessionTokenBytesMax) return undefined
  const functionName = secrets.verify('functionToken', sessionToken)
  if (functionName === undefined) return undefined
  const own = functionKey(secrets, functionName)
  if (own.accessKeyId !== accessKeyId) return undefined
  return { ...own, name: functionName, grant: { kind: 'function', functionName, actAs: actAsOf(functionName) } }
}
