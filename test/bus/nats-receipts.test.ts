import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Notice, Receipts } from '../../src/bus/nats-receipts.ts'

const ref = (channelArn: string) => ({ channelId: channelArn.charCodeAt(0), channelArn })
const reached = (channelArn: string, seq: number): Notice => ({
  subject: channelArn,
  message: { kind: 'reached', ...ref(channelArn), seq },
})
const joined = (userArn: string, channelArn: string): Notice => ({
  subject: userArn,
  message: { kind: 'joined', userArn, ...ref(channelArn), seq: 1 },
})

test('what was confirmed is not told again', () => {
  const receipts = new Receipts()
  receipts.sent(reached('C', 1), 10)
  const confirm = receipts.ask()
  assert.ok(confirm)
  receipts.sent(reached('D', 1), 10)
  confirm()
  receipts.loseAll()
  assert.deepEqual(receipts.takeLost(), [reached('D', 1)])
  assert.equal(receipts.hasLost, false)
})

test('nobody is asked when nothing was sent', () => {
  assert.equal(new Receipts().ask(), undefined)
})

test('of a channel only the highest number is kept, of a user every join', () => {
  const receipts = new Receipts()
  for (const seq of [1, 2, 3]) receipts.sent(reached('C', seq), 10)
  receipts.loseAll()
  for (const channelArn of ['C', 'D', 'C']) receipts.lost(joined('ann', channelArn))
  assert.deepEqual(receipts.takeLost(), [reached('C', 3), joined('ann', 'C'), joined('ann', 'D')])
})

test('a confirmation that comes after the connection broke confirms nothing', () => {
  const receipts = new Receipts()
  receipts.sent(reached('C', 1), 10)
  const confirm = receipts.ask()
  receipts.loseAll()
  confirm?.()
  assert.deepEqual(receipts.takeLost(), [reached('C', 1)])
})

test('what leaves no row is not told again: there is nothing to read', () => {
  const receipts = new Receipts()
  receipts.sent(undefined, 10)
  receipts.loseAll()
  receipts.lost(undefined)
  assert.deepEqual(receipts.takeLost(), [])
})

test('too many channels for single notices are told of by one for all', () => {
  const receipts = new Receipts()
  for (let channel = 0; channel <= 10_000; channel += 1) receipts.lost(reached(`C${channel}`, 1))
  receipts.lost(reached('D', 1))
  assert.equal(receipts.hasLost, true)
  assert.equal(receipts.takeLost(), 'too many')
  assert.deepEqual(receipts.takeLost(), [])
})

test('it is full while too much is unconfirmed', () => {
  const receipts = new Receipts()
  receipts.sent(reached('C', 1), 16 * 1024 * 1024)
  assert.equal(receipts.isFull, false)
  receipts.sent(reached('C', 2), 1)
  assert.equal(receipts.isFull, true)
  const confirm = receipts.ask()
  assert.equal(receipts.isFull, true)
  confirm?.()
  assert.equal(receipts.isFull, false)
})
