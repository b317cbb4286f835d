import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { withAudit } from '../../../src/api/audit/audited.ts'
import { type Context, operation } from '../../../src/api/context.ts'
import { carillonOperations, operations } from '../../../src/api/index.ts'
import type { Operation } from '../../../src/contract/operation.ts'
import { type Grant, rootGrant } from '../../../src/keys/grant.ts'
import { type AuditRow, listAudit } from '../../../src/store/audit.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { awsLocation } from '../../support/rows.ts'
import { onBothEngines, type World } from '../../upkeep/world.ts'

suite('the audit log has', () => {
  const all = [...operations, ...carillonOperations]
  const isReading = ({ name }: Operation<Context>) => /^(?:Describe|Get|List|Search)/.test(name)

  test('every write of the server itself', () => {
    const writes = carillonOperations.filter((one) => !isReading(one))
    assert.ok(writes.length > 0)
    const without = writes.filter(({ audited }) => !audited).map(({ name }) => name)
    assert.deepEqual(without, [], 'add `audited` to the definition of the operation')
  })

  test('every write of AWS that is not made on behalf of a user, and those on the flows of channels', () => {
    const onBehalf = (one: Operation<Context>) => 'ChimeBearer' in one.input.properties
    const writes = operations.filter((one) => !isReading(one) && (!onBehalf(one) || /ChannelFlow$/.test(one.name)))
    const without = writes.filter(({ audited }) => !audited).map(({ name }) => name)
    assert.deepEqual(without, ['ChannelFlowCallback'], 'add `audited` to the definition of the operation')
  })

  test('ids and settings of calls, and no text of a user, secret or token', () => {
    const permitted =
      /^(?:\w+A(?:rn|RN)|AccessKeyId|MessageId|FunctionNames?|ReasonCode|Seconds|Kind|Role|Directory|ExpirationTimestamp|\w+Settings|Processors|Tags|TagKeys)$/
    const members = all.flatMap(({ audited = [] }) => audited)
    assert.ok(members.length > 0)
    assert.deepEqual(
      members.filter((member) => !permitted.test(member)),
      [],
    )
  })
})

/** The facts of the rows in the log, without those of the world's own beginning. */
async function acts(world: World): Promise<AuditRow[]> {
  return listAudit(world.store.read, { after: [0, 0], rowsMax: 100 })
}

/** Calls an operation as the server does. */
function call(world: World, one: Operation<Context>, input: object, grant: Grant = rootGrant, store = world.store) {
  const context = {
    operation: one,
    store,
    read: store.read,
    location: awsLocation,
    now: world.clock.now,
    newId: randomUUID,
    credentials: { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'secret', name: 'Olga', grant },
    requestId: 'request-1',
    address: '::ffff:192.0.2.7',
  } as unknown as Context
  return withAudit(one).invoke(input, context)
}

const named = (name: string) =>
  [...operations, ...carillonOperations].find((one) => one.name === name) ?? assert.fail(name)

onBothEngines('an act is in the log with who did it, where and what', async (world) => {
  await call(world, named('DeleteAppInstanceUser'), { AppInstanceUserArn: world.user('cleo') })
  const [{ number: _, ...row } = assert.fail(), ...others] = await acts(world)
  assert.deepEqual(others, [])
  assert.deepEqual(row, {
    at: world.clock.now(),
    access_key_id: 'AKIAOPERATOR',
    key_name: 'Olga',
    action: 'chime:DeleteAppInstanceUser',
    scope_arn: world.appInstanceArn,
    facts_json: JSON.stringify({ AppInstanceUserArn: world.user('cleo') }),
    address: '192.0.2.7',
    request_id: 'request-1',
  })
})

onBothEngines('what was created is named, with the settings that count and no secret', async (world) => {
  const input = { Kind: 'USER', SubjectArn: world.user('ana'), Directory: true, Name: 'phone' }
  const { AccessKeyId, SecretAccessKey } = (await call(world, named('CreateKey'), input)) as Record<string, string>
  const [row = assert.fail()] = await acts(world)
  const facts = { SubjectArn: world.user('ana'), AccessKeyId, Kind: 'USER', Directory: true }
  assert.deepEqual(JSON.parse(row.facts_json), facts)
  assert.ok(!JSON.stringify(row).includes(SecretAccessKey!))
})

onBothEngines('a tag that configures the server is a fact, and any other is text of the caller', async (world) => {
  const ResourceARN = world.appInstanceArn
  const own = { Key: 'carillon:control-messages', Value: 'refuse' }
  await call(world, named('TagResource'), { ResourceARN, Tags: [{ Key: 'team', Value: 'bells' }, own] })
  await call(world, named('TagResource'), { ResourceARN, Tags: [{ Key: 'team', Value: 'carillon' }] })
  await call(world, named('UntagResource'), { ResourceARN, TagKeys: ['team', own.Key] })
  assert.deepEqual(
    (await acts(world)).map(({ facts_json }) => JSON.parse(facts_json)),
    [{ ResourceARN, Tags: [own] }, { ResourceARN }, { ResourceARN, TagKeys: [own.Key] }],
  )
})

onBothEngines('a call that is refused, is rolled back or changes nothing leaves no row', async (world) => {
  const AppInstanceUserArn = world.user('nobody')
  await assert.rejects(call(world, named('DeleteAppInstanceUser'), { AppInstanceUserArn }), { code: 'Forbidden' })
  const { appInstanceArn: AppInstanceArn } = world
  const admin = { AppInstanceArn, AppInstanceAdminArn: world.user('ana') }
  await call(world, named('CreateAppInstanceAdmin'), admin)
  await assert.rejects(call(world, named('CreateAppInstanceAdmin'), admin), { code: 'Conflict' })
  await call(world, named('ResumeKey'), { AccessKeyId: 'AKIANEVERSUSPENDED' })
  assert.deepEqual(
    (await acts(world)).map(({ action }) => action),
    ['chime:CreateAppInstanceAdmin'],
  )
})

onBothEngines('a repeated call with the same token is one act', async (world) => {
  const input = { Name: 'Second', ClientRequestToken: 'token-1' }
  const first = await call(world, named('CreateAppInstance'), input)
  assert.deepEqual(await call(world, named('CreateAppInstance'), input), first)
  const rows = await acts(world)
  assert.deepEqual(
    rows.map(({ facts_json }) => JSON.parse(facts_json)),
    [first],
  )
})

onBothEngines('only the acts of operators are in the log', async (world) => {
  const user: Grant = { kind: 'user', userArn: world.user('ana'), directory: false }
  await call(world, named('DeleteAppInstanceUser'), { AppInstanceUserArn: world.user('cleo') }, user)
  assert.deepEqual(await acts(world), [])
})

/** An operation that does this with the store. */
const audited = (handle: (store: Context['store']) => Promise<unknown>) =>
  operation({
    name: 'Probe',
    service: 'carillon',
    http: 'POST /probe 200',
    input: {},
    output: {},
    errors: [],
    resources: [],
    audited: [],
    allow: () => {},
    async handle(_, { store }) {
      await handle(store)
      return {}
    },
  })

const change = (transaction: Transaction) =>
  transaction
    .insertOnce('setting', { name: 'probe', value: '1' })
    .then(() => transaction.run("DELETE FROM setting WHERE name = 'probe'"))

onBothEngines('an operation with two transactions is one act, and one that only reads is one too', async (world) => {
  await call(
    world,
    audited(async (store) => {
      await store.transaction(change)
      await store.transaction(change)
    }),
    {},
  )
  assert.equal((await acts(world)).length, 1)
  await call(
    world,
    audited(async () => {}),
    {},
  )
  assert.equal((await acts(world)).length, 2, 'such as the reading of a held text')
})

onBothEngines('a transaction that is repeated has one row', async (world) => {
  const repeating: Store['transaction'] = async (work, isolation) => {
    await assert.rejects(
      world.store.transaction(async (transaction) => {
        await work(transaction)
        throw new Error('conflict')
      }, isolation),
      /conflict/,
    )
    return world.store.transaction(work, isolation)
  }
  const store = { read: world.store.read, transaction: repeating } as Store
  await call(
    world,
    audited((probe) => probe.transaction(change)),
    {},
    rootGrant,
    store,
  )
  assert.equal((await acts(world)).length, 1)
})

onBothEngines('a reading is not returned if its row cannot be written', async (world) => {
  const failing = {
    read: world.store.read,
    transaction: () => Promise.reject(new Error('disk full')),
  } as unknown as Store
  await assert.rejects(
    call(
      world,
      audited(async () => {}),
      {},
      rootGrant,
      failing,
    ),
    /disk full/,
  )
})

test('an audited operation cannot write beside its transaction', async () => {
  const store = {} as Store
  const world = { store, clock: { now: () => 0 } } as unknown as World
  await assert.rejects(
    call(
      world,
      audited((probe) => probe.write('DELETE FROM setting')),
      {},
    ),
    /writes in transactions/,
  )
})
