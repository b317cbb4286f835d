import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { UpdateAppInstanceUserCommandInput } from '@aws-sdk/client-chime-sdk-identity'
import { ManualClock } from '../../support/manual-clock.ts'
import { type Population, populate } from '../../support/population.ts'
import { assertRefused, noAccess, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

type Input = Partial<UpdateAppInstanceUserCommandInput>

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const { identity, messaging } = server
const { AppInstanceArn } = await identity.createAppInstance({ Name: 'Bells' })
const ann = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann', Metadata: 'old' }
const { AppInstanceUserArn } = await identity.createAppInstanceUser(ann)
const update = (input: Input = {}) =>
  identity.updateAppInstanceUser({ AppInstanceUserArn, Name: 'Anna', Metadata: 'new', ...input })
const describe = async () => (await identity.describeAppInstanceUser({ AppInstanceUserArn })).AppInstanceUser

const rename = ({ member }: Population, Name: string) =>
  identity.updateAppInstanceUser({ AppInstanceUserArn: member, Name, Metadata: '' })

suite('UpdateAppInstanceUser', () => {
  test('replaces name and metadata, and sets the time of the update', async () => {
    const before = await describe()
    clock.advance(1)
    assert.equal((await update()).AppInstanceUserArn, AppInstanceUserArn)
    const LastUpdatedTimestamp = new Date(clock.now())
    assert.deepEqual(await describe(), { ...before, Name: 'Anna', Metadata: 'new', LastUpdatedTimestamp })
  })

  test('takes empty metadata', async () => {
    await update({ Metadata: '' })
    assert.equal((await describe())?.Metadata, '')
  })

  test('makes a creation with the old name a Conflict, and one with the new name a success', async () => {
    await update()
    await assertRefused(identity.createAppInstanceUser(ann), 'Conflict', /ann exists already/)
    await identity.createAppInstanceUser({ ...ann, Name: 'Anna', Metadata: 'new' })
  })

  test('shows in lists of members, and not in what was sent before', async () => {
    const people = await populate(server)
    const { channelArn: ChannelArn, owner: ChimeBearer, member } = people
    const { MessageId } = await people.send()
    await rename(people, 'New 🔔')
    const { ChannelMemberships } = await messaging.listChannelMemberships({ ChannelArn, ChimeBearer })
    const names = ChannelMemberships?.map(({ Member }) => Member?.Name)
    assert.deepEqual(names?.sort(), ['New 🔔', 'owner'])
    assert.deepEqual((await people.read(MessageId)).Sender, { Arn: member, Name: 'member' })
    const { MessageId: later } = await people.send()
    assert.deepEqual((await people.read(later)).Sender, { Arn: member, Name: 'New 🔔' })
  })

  test('does not change the sender of a held message', async () => {
    const people = await populate(server)
    await people.attachFlow(['first'])
    const event = await people.sendHeld()
    await rename(people, 'New')
    const session = await server.session(people.owner)
    await people.allow(event)
    const { eventType, payload } = await session.next()
    assert.equal(eventType, 'CREATE_CHANNEL_MESSAGE')
    assert.deepEqual((payload as { Sender: object }).Sender, { Arn: people.member, Name: 'member' })
  })

  test('notifies no session', async () => {
    const people = await populate(server)
    const sessions = [await server.session(people.member), await server.session(people.owner)]
    await rename(people, 'New')
    await people.send()
    for (const session of sessions) {
      const { eventType, payload } = await session.next()
      assert.equal(eventType, 'CREATE_CHANNEL_MESSAGE')
      assert.equal((payload as { Sender: { Name: string } }).Sender.Name, 'New')
    }
  })
})

suite('UpdateAppInstanceUser rejects', () => {
  const rejected: Record<string, [input: Input, text: string | RegExp]> = {
    'no Name': [{ Name: undefined }, violation('name', 'not be null')],
    'no Metadata': [{ Metadata: undefined }, violation('metadata', 'not be null')],
    'an empty Name': [{ Name: '' }, /'name' .* greater than or equal to 1/],
    'a blank Name': [{ Name: ' \t' }, /'name' .* pattern/],
    'a Name of 101 characters': [{ Name: 'n'.repeat(101) }, violation('name', 'have length less than or equal to 100')],
    '1025 characters of Metadata': [{ Metadata: 'm'.repeat(1025) }, /'metadata' .* less than or equal to 1024/],
    'a malformed ARN': [{ AppInstanceUserArn: 'ann' }, /'appInstanceUserArn'/],
  }
  for (const [what, [input, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(update(input), 'BadRequest', text))
  }

  test('an unknown user, and an ARN of something else', async () => {
    await assertRefused(update({ AppInstanceUserArn: `${AppInstanceArn}/user/nobody` }), 'Forbidden', noAccess)
    await assertRefused(update({ AppInstanceUserArn: AppInstanceArn! }), 'Forbidden', noAccess)
  })
})
