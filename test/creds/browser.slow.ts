import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { missingBrowser } from '../support/chromium.ts'
import { unlessRequired } from '../support/required.ts'
import { startTestServer } from '../support/running-server.ts'
import { openBrowser, servePage } from './browser.ts'
import { foreignCalls } from './foreign-calls.ts'
import { turnOn } from './signing-in.ts'

const skip = unlessRequired(missingBrowser)

suite('a page in Chromium', { skip }, async () => {
  if (skip) return
  const server = await startTestServer()
  const origin = await servePage()
  const appInstance = await turnOn(server, { origins: [origin] })
  const openPage = await openBrowser()
  const endpoint = server.endpoint.http
  const [ann, bob] = [await openPage(origin), await openPage(origin)]
  const people = {
    ann: (await ann('signIn', endpoint, 'ann-token')).userArn!,
    bob: (await bob('signIn', endpoint, 'bob-token')).userArn!,
  }
  const created = await bob('call', 'messaging', 'createChannel', {
    AppInstanceArn: appInstance,
    ChimeBearer: people.bob,
    Name: 'Lobby',
    Mode: 'UNRESTRICTED',
  })
  const channel = created.output!.ChannelArn!
  const inChannel = { ChannelArn: channel, Type: 'STANDARD', Persistence: 'PERSISTENT' }

  test('signs two people in, and they chat over sessions of their own', async () => {
    assert.deepEqual([await ann('connect', people.ann), await bob('connect', people.bob)], ['open', 'open'])
    const joining = { ChannelArn: channel, ChimeBearer: people.bob, MemberArn: people.ann, Type: 'DEFAULT' }
    assert.equal((await bob('call', 'messaging', 'createChannelMembership', joining)).status, 201)
    const hello = { ...inChannel, ChimeBearer: people.ann, Content: 'hello from Ann' }
    assert.equal((await ann('call', 'messaging', 'sendChannelMessage', hello)).status, 201)
    const seen = { sender: 'Ann', content: 'hello from Ann' }
    assert.deepEqual(await bob('messageWith', 'hello from Ann'), seen)
    assert.deepEqual(await ann('messageWith', 'hello from Ann'), seen)
    const back = { ...inChannel, ChimeBearer: people.bob, Content: 'hello from Bob' }
    assert.equal((await bob('call', 'messaging', 'sendChannelMessage', back)).status, 201)
    assert.deepEqual(await ann('messageWith', 'hello from Bob'), { sender: 'Bob', content: 'hello from Bob' })
  })

  test('can do nothing for anybody else with the key of its user', async () => {
    const all = foreignCalls({ appInstance, channel, ...people })
    assert.ok(all.length >= 50, `only ${all.length} tries`)
    for (const [service, operation, input] of all) {
      const { status, error } = await ann('call', service, operation, input)
      assert.deepEqual([status, error], [403, 'AccessDeniedException'], `${operation} ${JSON.stringify(input)}`)
    }
    assert.equal(await ann('connect', people.bob), 4003)
    const { Channel } = await server.messaging.describeChannel({ ChannelArn: channel, ChimeBearer: people.bob })
    assert.equal(Channel?.Name, 'Lobby')
  })

  test('does not get a key by a token that stands for no one', async () => {
    const answer = await ann('signIn', endpoint, 'unknown-token')
    assert.deepEqual(answer, { status: 401, text: 'Not Authorized' })
  })

  test('gets nothing at another origin, not even the response', async () => {
    const other = await openPage(await servePage())
    await assert.rejects(other('signIn', endpoint, 'ann-token'), /Failed to fetch/)
  })
})
