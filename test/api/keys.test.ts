import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { carillonOperations, operations } from '../../src/api/index.ts'
import type { Credentials } from '../../src/keys/key.ts'
import { type Population, populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { SteeredStore } from '../support/steered-store.ts'
import { addActingFunction, TestKeys } from '../support/test-keys.ts'
import { validInput, wireCallOf } from '../support/valid-input.ts'

/*
 * What each kind of key may call, as a table: a row is a group of operations, a column is a key and the user that the call
 * names. A key may call what its row has a `+` for; the call may then be rejected for another reason. Everything else is an
 * AccessDenied, before any row of the resource is read.
 */

const columns = [
  'root',
  'operator of the AppInstance',
  'operator of another AppInstance',
  'reviewer',
  'viewer',
  'viewer of the AppInstance',
  'user, own ARN',
  "user, another's ARN",
  'user with directory, own ARN',
  "user with directory, another's ARN",
  'temporary user, own ARN',
  "temporary user, another's ARN",
  'user of another AppInstance',
  'callback',
  'callback of one flow',
  'callback of another AppInstance',
  'function',
  'function that acts as the user',
  "function that acts as the user, another's ARN",
  'function that acts as the user, named by no flow',
] as const
type Column = (typeof columns)[number]

interface Group {
  /** In the order of the columns. */
  may: string
  operations: string
  /** What a call may leave out, its bearer too, is left out. */
  bare?: true
}

const groups: Record<string, Group> = {
  'with the bearer, reading': {
    may: '++- +++ +- +- +- - --- -+--',
    operations: `DescribeChannel ListChannels SearchChannels DescribeChannelMembership ListChannelMemberships
      ListChannelMembershipsForAppInstanceUser DescribeChannelMembershipForAppInstanceUser DescribeChannelModerator
      ListChannelModerators ListChannelsModeratedByAppInstanceUser DescribeChannelModeratedByAppInstanceUser
      DescribeChannelBan ListChannelBans GetChannelMessage GetChannelMessageStatus ListChannelMessages`,
  },
  'with the bearer, writing': {
    may: '++- --- +- +- +- - --- -+--',
    operations: `CreateChannel UpdateChannel DeleteChannel PutChannelExpirationSettings CreateChannelMembership
      BatchCreateChannelMembership UpdateChannelReadMarker DeleteChannelMembership CreateChannelModerator
      DeleteChannelModerator CreateChannelBan DeleteChannelBan SendChannelMessage UpdateChannelMessage
      RedactChannelMessage DeleteChannelMessage AssociateChannelFlow DisassociateChannelFlow`,
  },
  'with the bearer alone, reading': {
    may: '++- +++ +- +- +- - --- -+--',
    operations: 'ListChannelMembershipsForAppInstanceUser ListChannelsModeratedByAppInstanceUser',
    bare: true,
  },
  'without the bearer that it may have, reading': {
    may: '+-- ++- -- -- -- - --- ----',
    operations: 'SearchChannels',
    bare: true,
  },
  'without the bearer that it may have, writing': {
    may: '++- --- -- -- -- - --- ----',
    operations: 'PutChannelExpirationSettings',
    bare: true,
  },
  'the directory': {
    may: '++- +++ -- ++ -- - --- ----',
    operations: 'ListAppInstanceUsers DescribeAppInstanceUser DescribeChannelFlow ListChannelFlows',
  },
  'reading below one AppInstance': {
    may: '++- +++ -- -- -- - --- ----',
    operations: `DescribeAppInstance GetAppInstanceRetentionSettings DescribeAppInstanceAdmin ListAppInstanceAdmins
      ListChannelsAssociatedWithChannelFlow ListTagsForResource
      GetMessageTimeline ListPendingMessages ListFailedMessages ListMessages`,
  },
  'deciding held messages': {
    may: '++- +-- -- -- -- - --- ----',
    operations: 'CompleteMessage DenyMessage ExtendMessage FailMessage GetHeldMessage RetryMessage',
  },
  'held messages, of which an operator reads its own': {
    may: '+++ +++ -- -- -- - --- ----',
    operations: 'GetMessageTimeline ListPendingMessages ListFailedMessages',
    bare: true,
  },
  'held messages, of which an operator decides its own': {
    may: '+++ +-- -- -- -- - --- ----',
    operations: 'CompleteMessage DenyMessage ExtendMessage FailMessage GetHeldMessage RetryMessage',
    bare: true,
  },
  'writing below one AppInstance': {
    may: '++- --- -- -- -- - --- ----',
    operations: `UpdateAppInstance PutAppInstanceRetentionSettings CreateAppInstanceAdmin
      DeleteAppInstanceAdmin CreateAppInstanceUser UpdateAppInstanceUser PutAppInstanceUserExpirationSettings
      CreateChannelFlow UpdateChannelFlow DeleteChannelFlow TagResource UntagResource
      CreateKey ResumeUser DeleteAppInstanceUser SuspendUser DeleteAppInstance`,
  },
  'reading the whole server': { may: '+-- ++- -- -- -- - --- ----', operations: 'ListAppInstances ListProcessors' },
  'writing the whole server': {
    may: '+-- --- -- -- -- - --- ----',
    operations: 'CreateAppInstance PauseProcessor ResumeProcessor CreateRehearsal',
  },
  'a key for the whole server': { may: '+-- --- -- -- -- - --- ----', operations: 'CreateKey', bare: true },
  'keys, acts and flows, of which an operator sees its own': {
    may: '+++ +++ -- -- -- - --- ----',
    operations: 'ListKeys ListAuditEvents GetFlowStatus GetDiagnosis',
  },
  'keys, of which an operator changes its own': {
    may: '+++ --- -- -- -- - --- ----',
    operations: 'SuspendKey ResumeKey DeleteKey',
  },
  'the callback': { may: '++- --- -- -- -- - ++- ++++', operations: 'ChannelFlowCallback' },
  'the address of sessions': { may: '+++ +++ ++ ++ ++ + --- ----', operations: 'GetMessagingSessionEndpoint' },
}
/** A connect is established, or closed with 4003. */
const connects = '++- --- +- +- +- - --- ----'
/** After such a call most other ones are rejected, so each has an AppInstance of its own. */
const spoiling = ['DeleteAppInstanceUser', 'SuspendUser', 'DeleteAppInstance']

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })
await addActingFunction(server, 'acting', ['member'])
await addActingFunction(server, 'idle', ['member'])
await server.restart()
const made = new TestKeys(server, store)

interface Stage {
  people: Population
  keys: Record<Column, Credentials>
}

async function setStage(): Promise<Stage> {
  const [people, others] = [await populate(server), await populate(server)]
  const flowArn = await people.createFlow(['first', 'acting'])
  const { appInstanceArn, member } = people
  const user = await made.kept({ kind: 'user', subjectArn: member })
  const withDirectory = await made.kept({ kind: 'user', subjectArn: member, directory: true })
  const temporary = await made.temporary({ kind: 'user', subjectArn: member })
  const acting = await made.ofFunction('acting')
  return {
    people,
    keys: {
      root: server.credentials,
      'operator of the AppInstance': await made.kept({ kind: 'operator', subjectArn: appInstanceArn }),
      'operator of another AppInstance': await made.kept({ kind: 'operator', subjectArn: others.appInstanceArn }),
      reviewer: await made.kept({ kind: 'operator', role: 'reviewer' }),
      viewer: await made.kept({ kind: 'operator', role: 'viewer' }),
      'viewer of the AppInstance': await made.kept({ kind: 'operator', role: 'viewer', subjectArn: appInstanceArn }),
      'user, own ARN': user,
      "user, another's ARN": user,
      'user with directory, own ARN': withDirectory,
      "user with directory, another's ARN": withDirectory,
      'temporary user, own ARN': temporary,
      "temporary user, another's ARN": temporary,
      'user of another AppInstance': await made.kept({ kind: 'user', subjectArn: others.member, directory: true }),
      callback: await made.kept({ kind: 'callback', subjectArn: appInstanceArn }),
      'callback of one flow': await made.kept({ kind: 'callback', subjectArn: flowArn }),
      'callback of another AppInstance': await made.kept({ kind: 'callback', subjectArn: others.appInstanceArn }),
      function: await made.ofFunction('first'),
      'function that acts as the user': acting,
      "function that acts as the user, another's ARN": acting,
      'function that acts as the user, named by no flow': await made.ofFunction('idle'),
    },
  }
}

/** ARNs of channels and flows that do not exist: a permitted call changes nothing that another one needs. */
function callFor(name: string, { people }: Stage, column: Column, bare = false) {
  const operation = [...operations, ...carillonOperations].find((known) => known.name === name)!
  const { appInstanceArn } = people
  const subject = column.includes("another's") ? people.owner : people.member
  const arns: Record<string, string> = {
    AppInstanceArn: appInstanceArn,
    SubjectArn: appInstanceArn,
    ResourceARN: appInstanceArn,
    ChimeBearer: subject,
    AppInstanceUserArn: subject,
    ChannelArn: `${appInstanceArn}/channel/none`,
    ChannelFlowArn: `${appInstanceArn}/channel-flow/none`,
    MemberArn: people.moderator,
    MemberArns: people.moderator,
    ModeratorArns: people.moderator,
    ChannelModeratorArn: people.moderator,
    AppInstanceAdminArn: people.moderator,
  }
  const input = validInput(operation, {
    valueOf: (member) => arns[member],
    has: (member) => operation.resources.includes(member) && !bare,
    pick: () => 0,
  })
  assert.ok(operation.inputValidator.Check(input), `the input is valid: ${JSON.stringify(input)}`)
  return wireCallOf(operation, input)
}

/** Of calls that the key permits. */
const otherErrors = ['ForbiddenException', 'NotFoundException', 'BadRequestException', 'ConflictException']

async function outcome(name: string, stage: Stage, column: Column, group: Group): Promise<'+' | '-'> {
  const { method, target, ...call } = callFor(name, stage, column, group.bare)
  const { status, type, body } = await server.call(method, target, { ...call, credentials: stage.keys[column] })
  if (type === 'AccessDeniedException') {
    const action = new RegExp(`^User: .+ is not authorized to perform: (chime|carillon):${name} on resource: `)
    assert.match(body.Message, action)
    assert.equal(status, 403)
    return '-'
  }
  assert.ok(status < 300 || otherErrors.includes(type ?? ''), `${name} by ${column}: ${status} ${type}`)
  return '+'
}

const rowsOf = ({ operations: names }: Group) => names.split(/\s+/)

test('every operation has a row, and another without the resources that it may leave out', () => {
  const known = [...operations, ...carillonOperations]
  const rows = (bare: boolean) => Object.values(groups).filter((group) => (group.bare ?? false) === bare)
  assert.deepEqual(rows(false).flatMap(rowsOf).sort(), known.map(({ name }) => name).sort())
  const perhaps = known.filter(({ resources, input }) => resources.some((member) => !input.required?.includes(member)))
  assert.deepEqual(rows(true).flatMap(rowsOf).sort(), perhaps.map(({ name }) => name).sort())
  for (const { may } of Object.values(groups)) assert.equal(may.replaceAll(' ', '').length, columns.length)
})

suite('a key may call what its kind may:', () => {
  const shared = setStage()
  for (const [title, group] of Object.entries(groups)) {
    test(title, async () => {
      const wanted = [...group.may.replaceAll(' ', '')]
      for (const name of rowsOf(group)) {
        const stage = spoiling.includes(name) ? await setStage() : await shared
        const found: Record<string, string> = {}
        // What is permitted comes last: it may end the users whose keys the other columns have.
        const order = [...columns.keys()].sort((a, b) => Number(wanted[a] === '+') - Number(wanted[b] === '+'))
        for (const index of order) found[columns[index]!] = await outcome(name, stage, columns[index]!, group)
        assert.deepEqual(found, Object.fromEntries(columns.map((column, index) => [column, wanted[index]])), name)
      }
    })
  }

  test('the connect of a messaging session', async () => {
    const { people, keys } = await shared
    const found: Record<string, string> = {}
    for (const column of columns) {
      const userArn = column.includes("another's") ? people.owner : people.member
      const session = await server.connect(userArn, keys[column])
      const first = await Promise.race([session.closed, session.next().then(({ eventType }) => eventType)]).catch(
        () => session.closed,
      )
      session.webSocket.close()
      if (typeof first !== 'string') {
        const reason = 'Forbidden: the access key may not connect as this AppInstanceUser'
        assert.deepEqual(first, { code: 4003, reason })
      }
      found[column] = typeof first === 'string' ? '+' : '-'
    }
    const wanted = [...connects.replaceAll(' ', '')]
    assert.deepEqual(found, Object.fromEntries(columns.map((column, index) => [column, wanted[index]])))
  })
})

suite('a verdict is accepted', () => {
  const stage = (async () => {
    const [people, others] = [await populate(server), await populate(server)]
    const flowArn = await people.attachFlow(['first'])
    const [otherFlowArn, user] = [await people.createFlow(['first']), people.member]
    return { people, others, flowArn, otherFlowArn, user }
  })()

  /** The response to a verdict on a new message, which the function `first` has. */
  async function verdictBy(credentials: Credentials): Promise<string> {
    const { people } = await stage
    const { CallbackId, ChannelMessage } = await people.sendHeld()
    const target = `/channels/${encodeURIComponent(people.channelArn)}?operation=channel-flow-callback`
    const body = { CallbackId, ChannelMessage: { MessageId: ChannelMessage.MessageId } }
    const { status, type } = await server.call('POST', target, { body, credentials })
    assert.equal(await people.status(ChannelMessage.MessageId), status === 200 ? 'SENT' : 'PENDING')
    return type === null ? `${status}` : `${status} ${type}`
  }

  test("from an operator, a key for the AppInstance or the flow, and the step's own function", async () => {
    const { people, flowArn } = await stage
    const keys = [
      server.credentials,
      await made.kept({ kind: 'operator', subjectArn: people.appInstanceArn }),
      await made.kept({ kind: 'callback', subjectArn: people.appInstanceArn }),
      await made.kept({ kind: 'callback', subjectArn: flowArn }),
      await made.temporary({ kind: 'callback', subjectArn: flowArn }),
      await made.ofFunction('first'),
    ]
    for (const key of keys) assert.equal(await verdictBy(key), '200')
  })

  test('from nothing else: another AppInstance, flow or function, a reviewer, a viewer, the sender', async () => {
    const { people, others, otherFlowArn, user } = await stage
    const denied: [Credentials, string][] = [
      [await made.kept({ kind: 'operator', subjectArn: others.appInstanceArn }), 'AccessDenied'],
      [await made.kept({ kind: 'callback', subjectArn: others.appInstanceArn }), 'AccessDenied'],
      [await made.kept({ kind: 'callback', subjectArn: otherFlowArn }), 'Forbidden'],
      [await made.ofFunction('second'), 'Forbidden'],
      [await made.ofFunction('acting'), 'Forbidden'],
      [await made.kept({ kind: 'operator', role: 'reviewer' }), 'AccessDenied'],
      [await made.kept({ kind: 'operator', role: 'viewer' }), 'AccessDenied'],
      [await made.kept({ kind: 'user', subjectArn: user, directory: true }), 'AccessDenied'],
      [await made.kept({ kind: 'user', subjectArn: people.admin }), 'AccessDenied'],
    ]
    for (const [key, code] of denied) assert.equal(await verdictBy(key), `403 ${code}Exception`)
  })
})

suite('no key may call anything', () => {
  const all = [...operations, ...carillonOperations]
  const others: readonly Column[] = ['root', 'user, own ARN', 'callback', 'temporary user, own ARN']

  test('while it is suspended: 401', async () => {
    const stage = await setStage()
    for (const column of others) {
      const credentials = stage.keys[column]
      await made.suspend(credentials)
      for (const { name } of all) {
        const { method, target, ...call } = callFor(name, stage, column)
        const { status, type } = await server.call(method, target, { ...call, credentials })
        assert.deepEqual([name, status, type], [name, 401, 'UnauthorizedClientException'])
      }
      const { code, reason } = await (await server.connect(stage.people.member, credentials)).closed
      assert.deepEqual([code, reason], [4003, 'Forbidden: the access key is suspended'])
    }
    await store.write('DELETE FROM suspended_key WHERE access_key_id = $1', server.credentials.accessKeyId)
  })

  test('after its end: 403 ExpiredToken, and 401 if it was suspended before', async () => {
    const { people } = await setStage()
    const over = server.clock.now() - 1_000
    const user = { kind: 'user', subjectArn: people.member } as const
    const keys = [
      await made.kept({ kind: 'operator' }, over),
      await made.kept(user, over),
      await made.kept({ kind: 'callback', subjectArn: people.appInstanceArn }, over),
      await made.temporary(user, { expiresAtMs: over }),
    ]
    const ended = async (credentials: Credentials) => {
      const { status, type } = await server.call('GET', '/endpoints/messaging-session', { credentials })
      const { code, reason } = await (await server.connect(people.member, credentials)).closed
      return { status, type, code, reason: reason.split(':')[0] }
    }
    for (const key of keys) {
      assert.deepEqual(await ended(key), {
        status: 403,
        type: 'ExpiredTokenException',
        code: 4401,
        reason: 'Unauthorized',
      })
      await made.suspend(key)
      assert.deepEqual(await ended(key), {
        status: 401,
        type: 'UnauthorizedClientException',
        code: 4003,
        reason: 'Forbidden',
      })
    }
  })
})
