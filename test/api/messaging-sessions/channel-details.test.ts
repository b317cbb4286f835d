import assert from 'node:assert/strict'
import { channelDetails } from '../../../src/api/messaging-sessions/channel-details.ts'
import type { Reader, Value } from '../../../src/store/store.ts'
import { onBothEngines, type World } from '../../upkeep/world.ts'

const options = (world: World, sortBy?: string) => ({ sortBy, now: world.clock.now(), pageMax: 2 })

/** The names of the channels that ben's session gets. */
async function prefetched(world: World, { sortBy, read = world.store.read }: { sortBy?: string; read?: Reader } = {}) {
  const names: string[] = []
  for await (const payload of channelDetails(read, world.user('ben'), options(world, sortBy))) {
    names.push((payload as { Channel: { Name: string } }).Channel.Name)
  }
  return names
}

/** In the text of the read. */
const pageOfMemberships = 'last_message_at, read_marker_at'

const leave = (world: World, id: string) =>
  world.call('DeleteChannelMembership', {
    ChannelArn: world.channel(id),
    MemberArn: world.user('ben'),
    ChimeBearer: world.user('ben'),
  })

/** Calls `work` after the n-th read whose text has this part, before its rows are returned. */
function readerWith(read: Reader, { part, nth }: { part: string; nth: number }, work: () => Promise<unknown>): Reader {
  let count = 0
  const after = async (sql: string) => {
    if (sql.includes(part)) count += 1
    if (sql.includes(part) && count === nth) await work()
  }
  return {
    get: (...statement) => read.get(...statement),
    all: async <Row>(sql: string, ...values: Value[]) => {
      const rows = await read.all<Row>(sql, ...values)
      await after(sql)
      return rows
    },
  }
}

/** Each in a later millisecond than the one before. */
async function sendTo(world: World, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    world.clock.advance(1)
    await world.send(id)
  }
}

onBothEngines('unread channels are prefetched first, or those with the latest messages', async (world) => {
  for (const id of ['one', 'two', 'three', 'four', 'five']) await world.createChannel(id)
  await sendTo(world, 'four', 'one', 'three')
  world.clock.advance(1)
  await world.call('UpdateChannelReadMarker', { ChannelArn: world.channel('three'), ChimeBearer: world.user('ben') })
  assert.deepEqual(await prefetched(world, { sortBy: 'unread' }), ['one', 'four', 'three', 'five', 'two'])
  assert.deepEqual(await prefetched(world), ['one', 'four', 'three', 'five', 'two'])
  const byTime = await prefetched(world, { sortBy: 'last-message-timestamp' })
  assert.deepEqual(byTime, ['three', 'one', 'four', 'five', 'two'])
})

onBothEngines('at most 50 channels are prefetched: the first of all pages', async (world) => {
  const ids = Array.from({ length: 53 }, (_, index) => `c${index}`)
  for (const id of ids) await world.createChannel(id)
  await sendTo(world, 'c0', 'c26')
  const expected = ['c26', 'c0', ...ids.filter((id) => id !== 'c0' && id !== 'c26').reverse()].slice(0, 50)
  assert.deepEqual(await prefetched(world), expected)
})

onBothEngines('other work has its turn between two pages of memberships', async (world) => {
  for (const id of ['one', 'two', 'three']) await world.createChannel(id)
  const first = { part: pageOfMemberships, nth: 1 }
  const second = { part: pageOfMemberships, nth: 2 }
  let turns = 0
  let turnsBetween = 0
  const read = readerWith(world.store.read, first, async () => setImmediate(() => (turns += 1)))
  await prefetched(world, { read: readerWith(read, second, async () => (turnsBetween = turns)) })
  assert.equal(turnsBetween, 1)
})

onBothEngines('a channel that the user leaves when its page was read is not prefetched', async (world) => {
  for (const id of ['one', 'two', 'three', 'four', 'five']) await world.createChannel(id)
  const pages = { part: pageOfMemberships, nth: 2 }
  const read = readerWith(world.store.read, pages, () => leave(world, 'one'))
  assert.deepEqual(await prefetched(world, { read }), ['five', 'four', 'three', 'two'])
})

onBothEngines('a channel that the user leaves when its messages were read is not prefetched', async (world) => {
  await world.createChannel('one')
  const messages = { part: 'message_view', nth: 1 }
  const read = readerWith(world.store.read, messages, () => leave(world, 'one'))
  assert.deepEqual(await prefetched(world, { read }), [])
})

onBothEngines('a channel that the user leaves before its turn is not prefetched', async (world) => {
  for (const id of ['one', 'two', 'three']) await world.createChannel(id)
  const payloads = channelDetails(world.store.read, world.user('ben'), options(world))
  await payloads.next()
  await leave(world, 'two')
  const { value } = await payloads.next()
  assert.equal((value as { Channel: { Name: string } }).Channel.Name, 'one')
  assert.equal((await payloads.next()).done, true)
})
