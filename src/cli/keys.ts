import { ConfigError } from '../config.ts'
import { appInstanceOf } from '../contract/arn.ts'
import {
  createAccessKey,
  deleteAccessKey,
  findAccessKey,
  type KeyPosition,
  listAccessKeys,
  positionOf,
  resumeAccessKey,
  resumeUser,
  suspendAccessKey,
  suspendUser,
} from '../keys/access-keys.ts'
import { InvalidGrant, subjectOf } from '../keys/grant.ts'
import { UnknownSubject } from '../keys/subject.ts'
import { systemClock } from '../runtime/clock.ts'
import { commandLine, recordAct } from '../store/audit.ts'
import type { Store, Transaction } from '../store/store.ts'
import { type KeyArguments, readKeyArguments } from './key-arguments.ts'
import { systemUser } from './system-user.ts'
import { withStore } from './with-store.ts'

const usage = `npx carillon keys create            creates an access key and prints it, once:
    --user ARN [--directory]            for an AppInstanceUser, and perhaps the list of users and flows
    --callback ARN                      for ChannelFlowCallback alone, of an AppInstance or a channel flow
    --operator [ARN] [--role ROLE]      for everything, of the whole server or of an AppInstance;
                                        ROLE is operator, reviewer or viewer
    [--expires 30d] [--name TEXT]       when the key ends (m, h or d), and a name for the list
npx carillon keys list              lists the access keys, except the root key
npx carillon keys suspend KEY_ID    makes the server reject every call of this key
npx carillon keys suspend USER_ARN  the same for every key of this user
npx carillon keys resume KEY_ID     makes the server accept its calls again; also with USER_ARN
npx carillon keys delete KEY_ID     ends the key for ever

Each accepts --data-dir, or CARILLON_DATABASE_URL. The server may run meanwhile.`

type Action = (store: Store, given: KeyArguments) => Promise<string>

const actions = new Map<string, { takes?: 'key' | 'key or user'; act: Action }>([
  ['create', { act: create }],
  ['list', { act: list }],
  ['suspend', { takes: 'key or user', act: suspend }],
  ['resume', { takes: 'key or user', act: resume }],
  ['delete', { takes: 'key', act: deleteKey }],
])

/** `carillon keys`: the keys that may sign calls. The server of the store may be running. */
export async function keys([name = '', ...rest]: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const action = actions.get(name)
  if (!action) throw new ConfigError([usage])
  const given = readKeyArguments(name, rest, action.takes, systemClock.now())
  if (name === 'create' && !given.grant) throw new ConfigError([usage])
  return withStore(given.others, environment, async (store) => {
    console.log(await action.act(store, given))
    return 0
  }).catch((error: unknown) => {
    if (error instanceof UnknownSubject || error instanceof InvalidGrant) throw new ConfigError([error.message])
    throw error
  })
}

async function create(store: Store, { grant, name, expiresAtMs }: KeyArguments): Promise<string> {
  const key = { grant: grant!, name, expiresAtMs }
  const facts = {
    Kind: key.grant.kind.toUpperCase(),
    SubjectArn: subjectOf(key.grant),
    Role: key.grant.kind === 'operator' ? key.grant.role.toUpperCase() : undefined,
    Directory: key.grant.kind === 'user' ? key.grant.directory : undefined,
    ExpirationTimestamp: expiresAtMs === undefined ? undefined : expiresAtMs / 1000,
  }
  return recorded(store, 'CreateKey', async (transaction, now) => {
    const { accessKeyId, secretAccessKey } = await createAccessKey(transaction, key, now)
    const result = `aws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}`
    return { result, facts: { AccessKeyId: accessKeyId, ...facts } }
  })
}

/** The list is read in pages of so many keys. */
const pageSize = 500

async function list(store: Store): Promise<string> {
  const lines: string[] = []
  for (let after: KeyPosition | undefined = [0, '']; after; ) {
    const page = await listAccessKeys(store.read, { after, keysMax: pageSize })
    lines.push(...page.map(describe))
    after = page.length === pageSize ? positionOf(page.at(-1)!) : undefined
  }
  return lines.length === 0 ? 'There is no access key except the root key.' : lines.join('\n')
}

type Listed = Awaited<ReturnType<typeof listAccessKeys>>[number]

function describe({ accessKeyId, grant, name, createdAtMs, expiresAtMs, suspended }: Listed): string {
  const isOver = expiresAtMs !== undefined && expiresAtMs <= systemClock.now()
  const state = suspended ? 'suspended' : isOver ? 'ended    ' : 'active   '
  const kind = grant.kind === 'operator' ? grant.role : grant.kind
  const end = expiresAtMs === undefined ? 'never ends' : `until ${new Date(expiresAtMs).toISOString()}`
  const facts = [accessKeyId, state, new Date(createdAtMs).toISOString(), end, kind.padEnd(8), subjectOf(grant), name]
  return facts.filter((fact) => fact !== undefined).join('  ')
}

async function suspend(store: Store, { id }: KeyArguments): Promise<string> {
  const isUser = id.startsWith('arn:')
  const changed = await recordedIfChanged(store, isUser ? 'SuspendUser' : 'SuspendKey', id, (transaction, now) =>
    isUser ? suspendUser(transaction, id, now) : suspendAccessKey(transaction, id, now),
  )
  if (isUser) {
    return changed ? `All keys of ${id} are suspended.` : `${id} does not exist, or its keys were suspended already.`
  }
  if (!changed) return `${id} was suspended already.`
  const listed = (await findAccessKey(store.read, id)) !== undefined
  const doubt = listed ? '' : ' No listed key has this ID: it should be the root key, or a temporary one.'
  return `${id} is suspended.${doubt}`
}

async function resume(store: Store, { id }: KeyArguments): Promise<string> {
  const isUser = id.startsWith('arn:')
  const changed = await recordedIfChanged(store, isUser ? 'ResumeUser' : 'ResumeKey', id, (transaction, now) =>
    isUser ? resumeUser(transaction, id, now) : resumeAccessKey(transaction, id),
  )
  return changed ? `${id} is active again.` : `${id} was not suspended.`
}

async function deleteKey(store: Store, { id }: KeyArguments): Promise<string> {
  const deleted = await recordedIfChanged(store, 'DeleteKey', id, (transaction, now) =>
    deleteAccessKey(transaction, id, now),
  )
  return deleted ? `${id} is deleted.` : `There is no access key ${id}. The root key cannot be deleted, only suspended.`
}

/** Does the work in one transaction with its row of the audit log. */
function recorded<T>(
  store: Store,
  operationName: string,
  work: (transaction: Transaction, now: number) => Promise<{ result: T; facts?: Record<string, unknown> | undefined }>,
): Promise<T> {
  const at = systemClock.now()
  const keyName = systemUser()
  return store.transaction(async (transaction) => {
    const { result, facts } = await work(transaction, at)
    const action = `carillon:${operationName}`
    const scopeArn = facts && appInstanceOf(String(facts.SubjectArn ?? facts.AppInstanceUserArn))
    if (facts) await recordAct(transaction, { at, accessKeyId: commandLine, keyName, action, scopeArn, facts })
    return result
  })
}

/** The same for work on one key or user, if it changes anything. */
const recordedIfChanged = (
  store: Store,
  operationName: string,
  id: string,
  work: (transaction: Transaction, now: number) => Promise<boolean>,
): Promise<boolean> =>
  recorded(store, operationName, async (transaction, now) => {
    const result = await work(transaction, now)
    const facts = id.startsWith('arn:') ? { AppInstanceUserArn: id } : { AccessKeyId: id }
    return { result, facts: result ? facts : undefined }
  })
