import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { suite, type TestContext, test } from 'node:test'
import tls from 'node:tls'
import { ForbiddenException, UnauthorizedClientException } from '@aws-sdk/client-chime-sdk-messaging'
import { runCarillon } from '../cli/carillon-process.ts'
import { natsUrl, withoutNats } from '../support/nats-server.ts'
import { dropDatabase, freshDatabase, noPostgres } from '../support/postgres-server.ts'
import { type ClusterServer, ClusterStage, heard, heardOf } from './cluster-server.ts'
import { Lobby } from './lobby.ts'

const skip = noPostgres || withoutNats

/** Two nodes on one database and one NATS, and a channel that was made on the first. */
async function set(context: TestContext) {
  const databaseUrl = await freshDatabase()
  const stage = await ClusterStage.set(context, databaseUrl)
  context.after(() => dropDatabase(databaseUrl))
  const [a, b] = await stage.startTwo(await natsUrl(context))
  return { a, b, databaseUrl, lobby: await Lobby.open(a), processors: stage.processors }
}

suite('of two nodes each takes any request:', { skip }, () => {
  test('a callback for a message that the other has, between whose processors they take turns', async (context) => {
    const { a, b, lobby, processors } = await set(context)
    await lobby.attachFlow(a, ['first', 'second'])
    const senders = [await a.session(lobby.member), await b.session(lobby.member)]
    const others = [await a.session(lobby.owner), await b.session(lobby.owner)]

    const hello = await lobby.send(a, 'hello')
    const first = await processors.next(hello)
    assert.deepEqual(await lobby.history(b), ['hello'], 'its sender is shown the message by the other node, too')
    await lobby.allow(b, first, { Content: 'Hello' })
    const second = await processors.nextAfter(first)
    assert.equal(second.ChannelMessage.Content, 'Hello')
    await lobby.allow(a, second)
    const spam = await lobby.send(b, 'spam')
    await lobby.deny(a, await processors.next(spam))
    const bye = await lobby.send(a, 'bye')
    const begun = await processors.next(bye)
    await lobby.allow(b, begun)
    await lobby.allow(b, await processors.nextAfter(begun))

    for (const session of senders) {
      assert.deepEqual(await heardOf(session, 6), [
        `PENDING_CREATE_CHANNEL_MESSAGE of ${hello}`,
        `CREATE_CHANNEL_MESSAGE of ${hello}`,
        `PENDING_CREATE_CHANNEL_MESSAGE of ${spam}`,
        `DENIED_CREATE_CHANNEL_MESSAGE of ${spam}`,
        `PENDING_CREATE_CHANNEL_MESSAGE of ${bye}`,
        `CREATE_CHANNEL_MESSAGE of ${bye}`,
      ])
    }
    const sent = ['CREATE_CHANNEL_MESSAGE Hello', 'CREATE_CHANNEL_MESSAGE bye']
    for (const session of others) assert.deepEqual(await heard(session, 2), sent)
    for (const node of [a, b]) assert.deepEqual(await lobby.history(node), ['Hello', 'bye'])
  })

  test('one verdict for a message, whichever node hears it first', async (context) => {
    const { a, b, lobby, processors } = await set(context)
    await lobby.attachFlow(a, ['first'])
    const session = await b.session(lobby.owner)
    const verdicts = { allowed: 0, denied: 0 }
    for (const Content of ['1', '2', '3', '4', '5', '6', '7', '8']) {
      const event = await processors.next(await lobby.send(a, Content))
      const [allowed, denied] = await Promise.allSettled([lobby.allow(a, event), lobby.deny(b, event)])
      assert.notEqual(allowed.status, denied.status, 'one of the two is too late')
      verdicts[allowed.status === 'fulfilled' ? 'allowed' : 'denied'] += 1
    }
    assert.equal((await lobby.history(b)).length, verdicts.allowed)
    const told = await heard(session, verdicts.allowed)
    assert.deepEqual(
      told,
      (await lobby.history(a)).map((content) => `CREATE_CHANNEL_MESSAGE ${content}`),
    )
  })

  test('an update that a flow holds, decided on the other one', async (context) => {
    const { a, b, lobby, processors } = await set(context)
    const MessageId = await lobby.send(a, 'before')
    await lobby.attachFlow(b, ['first'])
    const [sender, other] = [await a.session(lobby.member), await b.session(lobby.owner)]
    await lobby.update(a, { MessageId, Content: 'after' })
    const event = await processors.next(MessageId)
    for (const node of [a, b]) assert.deepEqual(await lobby.history(node), ['before'])
    await lobby.allow(b, event, { Content: 'After' })
    for (const node of [a, b]) assert.deepEqual(await lobby.history(node), ['After'])
    const told = ['PENDING_UPDATE_CHANNEL_MESSAGE after', 'UPDATE_CHANNEL_MESSAGE After']
    assert.deepEqual(await heard(sender, 2), told)
    assert.deepEqual(await heard(other, 1), told.slice(1))
  })

  test('a ban that ends what the other one has in processing, however verdicts race it', async (context) => {
    const { a, b, lobby, processors } = await set(context)
    await lobby.attachFlow(a, ['first'])
    const banned = [await a.session(lobby.member), await b.session(lobby.member)]
    const others = [await a.session(lobby.owner), await b.session(lobby.owner)]
    const events = []
    for (const content of ['1', '2', '3', '4', '5', '6'])
      events.push(await processors.next(await lobby.send(a, content)))
    const owner = lobby.place(lobby.owner)
    const verdicts = Promise.allSettled(events.slice(0, 4).map((event, index) => lobby.allow(index % 2 ? a : b, event)))
    await b.messaging.createChannelBan({ ...owner, MemberArn: lobby.member })
    const released = (await verdicts).filter(({ status }) => status === 'fulfilled').length
    for (const event of events.slice(4)) await assert.rejects(lobby.allow(a, event), ForbiddenException)

    const sent = Array(released).fill('CREATE_CHANNEL_MESSAGE')
    for (const session of others) {
      assert.deepEqual(await session.eventTypes(released + 1), [...sent, 'DELETE_CHANNEL_MEMBERSHIP'])
    }
    for (const session of banned) {
      await session.eventTypes(6)
      const failed = Array(6 - released).fill('FAILED_CREATE_CHANNEL_MESSAGE')
      const heardByBanned = await session.eventTypes(7)
      assert.deepEqual(heardByBanned.slice(0, 6).sort(), [...sent, ...failed].sort())
      assert.equal(heardByBanned[6], 'DELETE_CHANNEL_MEMBERSHIP')
    }
    await assert.rejects(lobby.send(a, '7'), ForbiddenException)
    await a.messaging.deleteChannelBan({ ...owner, MemberArn: lobby.member })
    await b.messaging.createChannelMembership({ ...owner, MemberArn: lobby.member, Type: 'DEFAULT' })
    assert.equal((await lobby.history(a)).length, 6, 'the member finds its own messages, those that failed too')
  })

  test('the next page of a list that the other has begun', async (context) => {
    const { a, b, lobby } = await set(context)
    for (const Content of ['one', 'two', 'three', 'four', 'five']) await lobby.send(a, Content)
    const list = { ...lobby.place(), SortOrder: 'ASCENDING', MaxResults: 2 } as const
    const contents: string[] = []
    let NextToken: string | undefined
    for (const node of [a, b, a]) {
      const page = await node.messaging.listChannelMessages({ ...list, NextToken })
      contents.push(...page.ChannelMessages!.map(({ Content }) => Content!))
      NextToken = page.NextToken
    }
    assert.deepEqual([contents, NextToken], [['one', 'two', 'three', 'four', 'five'], undefined])
  })

  test('a call that the other has answered, which is not done twice', async (context) => {
    const { a, b, lobby } = await set(context)
    const ClientRequestToken = randomUUID()
    const messageId = await lobby.send(a, 'once', { ClientRequestToken })
    assert.equal(await lobby.send(b, 'once', { ClientRequestToken }), messageId)
    assert.deepEqual(await lobby.history(b), ['once'])

    const channel = { AppInstanceArn: lobby.appInstanceArn, ChimeBearer: lobby.owner, Name: 'New' }
    const call = { ...channel, ClientRequestToken: randomUUID() }
    const [one, other] = await Promise.all([a, b].map((node) => node.messaging.createChannel(call)))
    assert.equal(one?.ChannelArn, other?.ChannelArn, 'also when both are asked at the same time')
    await assert.rejects(b.messaging.createChannel({ ...call, Name: 'Another' }), { name: 'ConflictException' })
  })
})

suite('on two nodes', { skip }, () => {
  test('a member who leaves by the other one hears that, and nothing after it', async (context) => {
    const { a, b, lobby } = await set(context)
    const [leaver, owner] = [await a.session(lobby.member), await a.session(lobby.owner)]
    await b.messaging.deleteChannelMembership({ ...lobby.place(), MemberArn: lobby.member })
    await lobby.send(b, 'after', { ChimeBearer: lobby.owner })
    const left = 'DELETE_CHANNEL_MEMBERSHIP'
    assert.deepEqual(await heard(owner, 2), [left, 'CREATE_CHANNEL_MESSAGE after'])
    await b.messaging.createChannelMembership({ ...lobby.place(lobby.owner), MemberArn: lobby.member, Type: 'DEFAULT' })
    assert.deepEqual(await heard(leaver, 2), [left, 'CREATE_CHANNEL_MEMBERSHIP'])
  })

  for (const wireRelease of ['the release before', 'an unknown kind'] as const) {
    test(`each hears all that the other does, if that publishes messages of ${wireRelease}`, async (context) => {
      const databaseUrl = await freshDatabase()
      const stage = await ClusterStage.set(context, databaseUrl)
      context.after(() => dropDatabase(databaseUrl))
      const nats = await natsUrl(context)
      const [a, b] = [await stage.start(nats), await stage.start(nats, { wireRelease })]
      const lobby = await Lobby.open(a)
      const users = [lobby.owner, lobby.member, lobby.stranger]
      const sessions = await Promise.all([
        ...users.map((user) => a.session(user)),
        ...users.map((user) => b.session(user)),
      ])
      const owner = lobby.place(lobby.owner)
      const say = (node: ClusterServer, text: string) => lobby.send(node, text, { ChimeBearer: lobby.owner })
      await say(b, '1')
      await b.messaging.createChannelMembership({ ...owner, MemberArn: lobby.stranger, Type: 'DEFAULT' })
      await say(a, '2')
      await b.messaging.deleteChannelMembership({ ...owner, MemberArn: lobby.member })
      await say(b, '3')
      const [joined, left] = ['CREATE_CHANNEL_MEMBERSHIP', 'DELETE_CHANNEL_MEMBERSHIP']
      const [one, two, three] = ['1', '2', '3'].map((text) => `CREATE_CHANNEL_MESSAGE ${text}`)
      const told = [
        [one, joined, two, left, three],
        [one, joined, two, left],
        [joined, two, left, three],
      ]
      for (const [index, session] of sessions.entries()) {
        const expected = told[index % 3]!
        assert.deepEqual(await heard(session, expected.length), expected)
      }
    })
  }
})

test('a message that reaches a node which cannot read its functions folder is handed over by the other node', {
  skip,
}, async (context) => {
  const databaseUrl = await freshDatabase()
  const stage = await ClusterStage.set(context, databaseUrl)
  context.after(() => dropDatabase(databaseUrl))
  const nats = await natsUrl(context)
  const [troubled, other] = [await stage.startInTrouble(nats), await stage.start(nats)]
  const lobby = await Lobby.open(troubled)
  await lobby.attachFlow(troubled, ['first'])
  const event = await stage.processors.next(await lobby.send(troubled, 'hello'))
  await lobby.allow(other, event)
  assert.deepEqual(await lobby.history(troubled), ['hello'])
})

suite('of two nodes both know', { skip }, () => {
  test('the same keys, and which are suspended: both close their open sessions', async (context) => {
    const { a, b, databaseUrl, lobby } = await set(context)
    const keys = async (...args: string[]) => {
      const environment = { CARILLON_DATABASE_URL: databaseUrl }
      const { status, stdout, stderr } = await runCarillon(context, ['keys', ...args], environment)
      assert.deepEqual([status, stderr], [0, ''])
      return stdout
    }
    const form = /^aws_access_key_id=(\w+)\naws_secret_access_key=(\S+)\n$/
    const [, accessKeyId = '', secretAccessKey = ''] = form.exec(await keys('create', '--operator')) ?? assert.fail()
    const key = { accessKeyId, secretAccessKey }
    const describe = async (node: ClusterServer) => {
      const client = node.messagingWith(key)
      await client.describeChannel(lobby.place()).finally(() => client.destroy())
    }

    assert.equal(a.credentials.secretAccessKey, b.credentials.secretAccessKey, 'of the root key')
    const sessions = [await a.connect(lobby.member, key), await b.connect(lobby.member, key)]
    for (const node of [a, b]) await describe(node)
    for (const session of sessions) assert.equal((await session.next()).eventType, 'SESSION_ESTABLISHED')
    assert.match(await keys('list'), new RegExp(`^${accessKeyId} +active`))
    await keys('suspend', accessKeyId)
    for (const session of sessions) assert.equal((await session.closed).code, 4003, 'an open session')
    for (const node of [a, b]) {
      await assert.rejects(describe(node), UnauthorizedClientException)
      const { code } = await (await node.connect(lobby.member, key)).closed
      assert.equal(code, 4003)
    }
    await keys('resume', accessKeyId)
    for (const node of [a, b]) await describe(node)
  })

  test('the same authority, so that who trusts one node trusts all', async (context) => {
    const { a, b } = await set(context)
    const [ca, other] = [a, b].map(({ endpoint }) => readFileSync(endpoint.ca!, 'utf8'))
    assert.notEqual(a.endpoint.ca, b.endpoint.ca)
    assert.equal(ca, other)
    const { hostname: host, port } = new URL(b.endpoint.https!)
    const socket = tls.connect({ host, port: Number(port), ca })
    await once(socket, 'secureConnect')
    assert.equal(socket.authorized, true)
    socket.destroy()
  })

  test('who has joined: a session on one hears what follows a join through the other', async (context) => {
    const { a, b, lobby } = await set(context)
    const session = await b.session(lobby.stranger)
    await lobby.send(a, 'not for them')
    const membership = { MemberArn: lobby.stranger, Type: 'DEFAULT' } as const
    await a.messaging.createChannelMembership({ ...lobby.place(lobby.owner), ...membership })
    await lobby.send(a, 'one')
    await lobby.send(b, 'two')
    await lobby.send(a, 'three')
    assert.deepEqual(await heard(session, 4), [
      'CREATE_CHANNEL_MEMBERSHIP',
      'CREATE_CHANNEL_MESSAGE one',
      'CREATE_CHANNEL_MESSAGE two',
      'CREATE_CHANNEL_MESSAGE three',
    ])
  })

  test('that a channel is gone, with what its flow held', async (context) => {
    const { a, b, lobby, processors } = await set(context)
    await lobby.attachFlow(a, ['first'])
    const [near, far] = [await a.session(lobby.owner), await b.session(lobby.owner)]
    const held = await processors.next(await lobby.send(b, 'never sent'))
    await a.messaging.deleteChannel(lobby.place(lobby.owner))
    for (const session of [near, far]) assert.deepEqual(await heard(session, 1), ['DELETE_CHANNEL'])
    await assert.rejects(lobby.allow(b, held), ForbiddenException)
    await assert.rejects(b.messaging.describeChannel(lobby.place()), ForbiddenException)
    await assert.rejects(lobby.send(b, 'too late'), ForbiddenException)
  })

  test('that a user is deleted: it hears of its memberships, and its sessions are closed on both', async (context) => {
    const { a, b, lobby } = await set(context)
    const sessions = [await a.session(lobby.member), await b.session(lobby.member)]
    const others = [await a.session(lobby.owner), await b.session(lobby.owner)]
    await a.identity.deleteAppInstanceUser({ AppInstanceUserArn: lobby.member })
    await assert.rejects(lobby.send(b, 'too late'), UnauthorizedClientException)
    for (const session of [...sessions, ...others]) {
      assert.deepEqual(await heard(session, 1), ['DELETE_CHANNEL_MEMBERSHIP'])
    }
    for (const session of sessions) assert.equal((await session.closed).code, 4003)
    await b.identity.createAppInstanceUser({
      AppInstanceArn: lobby.appInstanceArn,
      AppInstanceUserId: 'member',
      Name: 'another member',
    })
    const again = await a.session(lobby.member)
    await lobby.send(b, 'not for them', { ChimeBearer: lobby.owner })
    assert.deepEqual(await heard(others[0]!, 1), ['CREATE_CHANNEL_MESSAGE not for them'])
    await a.messaging.createChannelMembership({
      ...lobby.place(lobby.owner),
      MemberArn: lobby.member,
      Type: 'DEFAULT',
    })
    assert.deepEqual(await heard(again, 1), ['CREATE_CHANNEL_MEMBERSHIP'])
  })
})
