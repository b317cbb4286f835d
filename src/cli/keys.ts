import { readFileSync } from 'node:fs'
import { ConfigError, readConfig } from '../config.ts'
import { createAccessKey, listAccessKeys, resumeAccessKey, suspendAccessKey } from '../keys/access-keys.ts'
import { existingStore, openStore } from '../open-store.ts'
import { systemClock } from '../runtime/clock.ts'
import { createLog } from '../runtime/log.ts'
import type { Store } from '../store/store.ts'

const usage = `npx carillon keys create            makes an access key and prints it, once
npx carillon keys list              lists the access keys, except the root key
npx carillon keys suspend KEY_ID    makes the server reject every call of this key
npx carillon keys resume KEY_ID     makes the server accept its calls again

Each accepts --data-dir, or CARILLON_DATABASE_URL. The server may run meanwhile.`

type Action = (store: Store, accessKeyId: string) => Promise<string>

const actions = new Map<string, { takesId: boolean; act: Action }>([
  ['create', { takesId: false, act: create }],
  ['list', { takesId: false, act: list }],
  ['suspend', { takesId: true, act: suspend }],
  ['resume', { takesId: true, act: resume }],
])

/** `carillon keys`: the keys that may sign calls. The server of the store may be running. */
export async function keys([name = '', ...rest]: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const action = actions.get(name)
  if (!action) throw new ConfigError([usage])
  const accessKeyId = action.takesId ? (rest.shift() ?? '') : ''
  if (action.takesId && !/^\w{16,128}$/.test(accessKeyId)) {
    throw new ConfigError([`npx carillon keys ${name} needs a key ID, 16 to 128 letters and digits`])
  }
  const { config } = readConfig(rest, environment, (path) => readFileSync(path, 'utf8'))
  const store = await openStore(existingStore(config), {
    clock: systemClock,
    log: await createLog('warn'),
    random: Math.random,
    migrations: 'check',
  })
  try {
    console.log(await action.act(store, accessKeyId))
    return 0
  } finally {
    await store.close()
  }
}

async function create(store: Store): Promise<string> {
  const { accessKeyId, secretAccessKey } = await createAccessKey(store, systemClock.now())
  return `aws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}`
}

async function list(store: Store): Promise<string> {
  const rows = await listAccessKeys(store.read)
  if (rows.length === 0) return 'There is no access key except the root key.'
  return rows
    .map(
      (key) =>
        `${key.accessKeyId}  ${key.suspended ? 'suspended' : 'active   '}  ${new Date(key.createdAt).toISOString()}`,
    )
    .join('\n')
}

async function suspend(store: Store, accessKeyId: string): Promise<string> {
  const changed = await suspendAccessKey(store, accessKeyId, systemClock.now())
  if (!changed) return `${accessKeyId} was suspended already.`
  const listed = (await listAccessKeys(store.read)).some((key) => key.accessKeyId === accessKeyId)
  const doubt = listed ? '' : ' No listed key has this ID: it should be the root key.'
  return `${accessKeyId} is suspended.${doubt}`
}

async function resume(store: Store, accessKeyId: string): Promise<string> {
  const changed = await resumeAccessKey(store, accessKeyId)
  return changed ? `${accessKeyId} is active again.` : `${accessKeyId} was not suspended.`
}
