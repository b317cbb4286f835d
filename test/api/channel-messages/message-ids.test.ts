import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { MessageIds } from '../../../src/api/channel-messages/message-ids.ts'

const secret = randomBytes(32)
const now = Date.UTC(2026, 0, 2)
const ids = new MessageIds(secret, () => 0.999_999)

test('an id has the form of a UUID, and names its channel to every node of the store', () => {
  for (const channelId of [1, 77, 2 ** 40 - 1]) {
    const id = ids.create(channelId, now)
    assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.equal(new MessageIds(secret, Math.random).channelIdOf(id), channelId)
  }
})

test('no two ids are the same, even of one channel at one time, or at a time before 2024', () => {
  const made = Array.from({ length: 10_000 }, () => ids.create(1, now))
  made.push(...Array.from({ length: 100 }, () => ids.create(1, 5)))
  assert.equal(new Set(made).size, made.length)
})

test('an id of another store, a random one, and a changed one name no channel', () => {
  const id = ids.create(1, now)
  const changed = `${id[0] === 'a' ? 'b' : 'a'}${id.slice(1)}`
  const others = [new MessageIds(randomBytes(32), Math.random).create(1, now), changed, '', 'x', id.toUpperCase()]
  // A mark of 16 bits: one random id in 65,536 names some channel, which does not have the message.
  const wrong = [...others, ...Array.from({ length: 20 }, () => randomUUID())].filter((other) => ids.channelIdOf(other))
  assert.ok(wrong.length <= 1, wrong.join())
})
