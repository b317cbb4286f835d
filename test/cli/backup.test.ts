import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { carillon } from '../support/carillon.ts'
import { populate } from '../support/population.ts'
import { Processors } from '../support/processors.ts'
import { startTestServer, TestServer } from '../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const folder = await mkdtemp(join(tmpdir(), 'carillon-backup-'))
after(() => rm(folder, { recursive: true }))

const backUp = (file: string) => carillon('backup', file, '--data-dir', server.dataDir)

/** Sends until it is stopped. `acknowledged` has all messages that were acknowledged so far. */
function keepSending() {
  const acknowledged: string[] = []
  let stopped = false
  const ended = (async () => {
    while (!stopped) {
      const { MessageId } = await people.send({ Content: `message ${acknowledged.length}` })
      acknowledged.push(MessageId!)
    }
  })()
  return {
    acknowledged,
    stop: () => {
      stopped = true
      return ended
    },
  }
}

/** A server on a folder of its own, which has the backup as its database. */
async function restore(backup: string): Promise<TestServer> {
  const place = await mkdtemp(join(folder, 'restored-'))
  const processors = await Processors.open(join(place, 'functions'))
  after(() => processors.close())
  mkdirSync(join(place, 'data'))
  writeFileSync(join(place, 'data/carillon.sqlite'), readFileSync(backup), { mode: 0o600 })
  const restored = new TestServer(place, processors, {})
  await restored.start()
  after(() => restored.close())
  return restored
}

suite('carillon backup', () => {
  test('takes, while messages are sent, all that was acknowledged before, and the restored server goes on', async () => {
    const heldChannel = await people.createChannel()
    const ChannelFlowArn = await people.createFlow(['first'])
    const association = { ChannelArn: heldChannel, ChannelFlowArn, ChimeBearer: people.owner }
    await server.messaging.associateChannelFlow(association)
    const waiting = await people.sendHeld({ ChannelArn: heldChannel, Content: 'waiting' })
    const release = server.processors.hold()
    const inHand = await people.sendHeld({ ChannelArn: heldChannel, Content: 'in hand' })

    const sending = keepSending()
    while (sending.acknowledged.length < 50) await setImmediate()
    const before = [...sending.acknowledged]
    const backup = join(folder, 'busy.sqlite')
    const { status, stdout, stderr } = await backUp(backup)
    assert.ok(sending.acknowledged.length > before.length, 'nothing was sent while the backup was made')
    await sending.stop()
    release()
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /busy\.sqlite is a backup, \d+ bytes\.\nAll messages and the secret keys are in it/)
    assert.equal(statSync(backup).mode & 0o777, 0o600)
    assert.ok(!existsSync(`${backup}.new`))

    const restored = await restore(backup)
    assert.equal(restored.credentials.secretAccessKey, server.credentials.secretAccessKey)
    for (const MessageId of before) {
      const message = { ChannelArn: people.channelArn, ChimeBearer: people.member, MessageId }
      const { ChannelMessage } = await restored.messaging.getChannelMessage(message)
      assert.match(ChannelMessage?.Content ?? '', /^message \d+$/)
    }
    // An event that was in flight at a function is handed over again, with the same CallbackId.
    const again = await restored.processors.next(inHand.ChannelMessage.MessageId)
    assert.equal(again.CallbackId, inHand.CallbackId)
    for (const { CallbackId, ChannelMessage: held } of [waiting, inHand]) {
      const message = { ChannelArn: heldChannel, MessageId: held.MessageId }
      const verdict = { ChannelArn: heldChannel, CallbackId, ChannelMessage: { MessageId: held.MessageId } }
      await restored.messaging.channelFlowCallback(verdict)
      const { ChannelMessage } = await restored.messaging.getChannelMessage({ ...message, ChimeBearer: people.member })
      assert.deepEqual([ChannelMessage?.Status?.Value, ChannelMessage?.Content], ['SENT', held.Content])
    }
  })

  test('takes the database of a server that does not run', async () => {
    const place = await mkdtemp(join(folder, 'stopped-'))
    const processors = await Processors.open(join(place, 'functions'))
    const stopped = new TestServer(place, processors, {})
    await stopped.start()
    await stopped.close()
    await processors.close()
    const file = join(folder, 'stopped.sqlite')
    assert.equal((await carillon('backup', file, '--data-dir', stopped.dataDir)).status, 0)
    assert.equal((await restore(file)).credentials.secretAccessKey, stopped.credentials.secretAccessKey)
  })

  test('leaves out what was deleted', async () => {
    const { MessageId } = await people.send({ Content: 'a text that is taken back' })
    await people.delete(MessageId)
    const file = join(folder, 'deleted.sqlite')
    assert.equal((await backUp(file)).status, 0)
    assert.ok(!readFileSync(file).includes('a text that is taken back'))
  })
})

suite('carillon backup refuses, and leaves things as they are,', () => {
  test('where there is a file of this name', async () => {
    const file = join(folder, 'precious')
    writeFileSync(file, 'precious')
    const { status, stderr } = await backUp(file)
    const words = `carillon: ${file} is there already: give another name, or delete it first\n`
    assert.deepEqual([status, stderr, readFileSync(file, 'utf8')], [1, words, 'precious'])
  })

  test('where another backup of this name is under way', async () => {
    const file = join(folder, 'twice')
    writeFileSync(`${file}.new`, 'half')
    const { status, stderr } = await backUp(file)
    assert.equal(status, 1)
    assert.match(stderr, /another backup to this name is under way, or was cut off; then delete it\n$/)
    assert.equal(readFileSync(`${file}.new`, 'utf8'), 'half')
  })

  test('a folder that is not there', async () => {
    const { status, stderr } = await backUp(join(folder, 'nowhere/file'))
    assert.equal(status, 1)
    assert.match(stderr, /^carillon: the backup cannot be written: ENOENT/)
  })

  test('a database that is damaged', async () => {
    const place = await mkdtemp(join(folder, 'damaged-'))
    writeFileSync(join(place, 'carillon.sqlite'), 'this is no database, it only has its name'.repeat(100))
    const file = join(folder, 'damaged.sqlite')
    const { status, stderr } = await carillon('backup', file, '--data-dir', place)
    assert.equal(status, 1)
    const words = /^carillon: .*\/carillon\.sqlite cannot be used: it is not a SQLite database .*Restore a backup/
    assert.match(stderr, words)
    assert.ok(!existsSync(file) && !existsSync(`${file}.new`))
  })

  test('to be called without a file, or without data', async () => {
    const without = await carillon('backup', '--data-dir', server.dataDir)
    assert.equal(without.status, 1)
    assert.match(without.stderr, /^npx carillon backup FILE {4}copies the database/)
    const empty = await carillon('backup', join(folder, 'empty.sqlite'), '--data-dir', folder)
    const words = `carillon: ${folder} has no data to back up: set --data-dir\n`
    assert.deepEqual([empty.status, empty.stderr], [1, words])
  })
})
