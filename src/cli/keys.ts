import { readFileSync } from 'node:fs'
import { ConfigError, readConfig } from '../config.ts'
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
  UnknownSubject,
} from '../keys/access-keys.ts'
import { InvalidGrant, subjectOf } from '../keys/grant.ts'
import { existingStore, openStore } from '../open-store.ts'
import { systemClock } from '../runtime/clock.ts'
import { createLog } from '../runtime/log.ts'
import type { Store } from '../store/store.ts'
import { type KeyArguments, readKeyArguments } from './key-arguments.ts'

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
  const { config } = readConfig(given.others, environment, (path) => readFileSync(path, 'utf8'))
  const store = await openStore(existingStore(config), {
    clock: systemClock,
    log: await createLog('warn'),
    random: Math.random,
    migrations: 'check',
  })
  try {
    console.log(await action.act(store, given))
    return 0
  } catch (error) {
    if (error instanceof UnknownSubject || error instanceof InvalidGrant) throw new ConfigError([error.message])
    throw error
  } finally {
    await store.close()
  }
}

async function create(store: Store, { grant, name, expiresAtMs }: KeyArguments): Promise<string> {
  const now = systemClock.now()
  const key = { grant: grant!, name, expiresAtMs }
  const { accessKeyId, secretAccessKey } = await store.transaction((transaction) =>
    createAccessKey(transaction, key, now),
  )
  return `aws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}`
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
  const now = systemClock.now()
  const isUser = id.startsWith('arn:')
  const changed = await store.transaction((transaction) =>
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
  const now = systemClock.now()
  const changed = await store.transaction((transaction) =>
    id.startsWith('arn:') ? resumeUser(transaction, id, now) : resumeAccessKey(transaction, id),
  )
  return changed ? `${id} is active again.` : `${id} was not suspended.`
}

async function deleteKey(store: Store, { id }: KeyArguments): Promise<string> {
  const now = systemClock.now()
  const deleted = await store.transaction((transaction) => deleteAccessKey(transaction, id, now))
  return deleted ? `${id} is deleted.` : `There is no access key ${id}. The root key cannot be deleted, only suspended.`
}
