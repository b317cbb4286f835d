import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import type { Store } from '../../../src/store/store.ts'
import { truncateAfterMs } from '../../../src/store/wal-truncation.ts'
import { carillon } from '../../support/carillon.ts'
import { filesWith } from '../../support/files-with.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { onPostgres, startTestServer } from '../../support/running-server.ts'
import { until } from '../../support/until.ts'

/*
 * A text that was denied or replaced is nowhere: in no column of any table, in no file of SQLite, in no line of the log at any
 * level, in no row of the audit log and in no timeline. What functions print is in the log, and is not looked at.
 */

/** Part of every text that must not stay. */
const mark = 'unwanted-text'

const clock = new ManualClock(Date.now())
let store!: Store
const lines: string[] = []
const keep = (fields: object, text: string) => {
  const isOutputOfFunction = 'awsRequestId' in fields
  if (!isOutputOfFunction) lines.push(`${text} ${inspect(fields, { depth: 10, maxStringLength: null })}`)
}
const server = await startTestServer({
  clock,
  log: { debug: keep, info: keep, warn: keep },
  aroundStore: (opened) => (store = opened),
})
await writeFile(
  join(server.dataDir, '../functions/quotes.mjs'),
  'export async function handler({ ChannelMessage }) { throw new TypeError(ChannelMessage.Content) }',
)
const people = await populate(server)
const plainChannel = people.channelArn
const onceHeld = await people.createChannel()
people.channelArn = onceHeld
await people.attachFlow(['first'])
const twiceHeld = await people.createChannel()
people.channelArn = twiceHeld
await people.attachFlow(['first', 'second'])
const quoted = await people.createChannel()
people.channelArn = quoted
await people.attachFlow(['quotes'])

const act = async (messageId: string | undefined, operation: string, body: object = {}) => {
  const answer = await server.call('POST', `/carillon/v1/messages/${messageId}?operation=${operation}`, { body })
  assert.ok(answer.status < 300, JSON.stringify(answer.body))
}

/** The text in each member that a callback can change. */
const everywhere = (text: string) => ({
  Content: text,
  Metadata: text,
  MessageAttributes: { a: { StringValues: [text] } },
})
const harmless = everywhere('harmless')

async function sent(text: string): Promise<string> {
  const event = await people.sendHeld(everywhere(text))
  await people.allow(event)
  return event.ChannelMessage.MessageId
}

/** Each resolves to the MessageId. The server stores its text, or hears it, and then must not have it any more. */
const ways: { [sentence: string]: (text: string) => Promise<string> } = {
  'a denied message': async (text) => {
    const event = await people.sendHeld(everywhere(text))
    await people.deny(event)
    return event.ChannelMessage.MessageId
  },
  'a denied message that is not kept anyway': async (text) => {
    const event = await people.sendHeld({ Content: text, Persistence: 'NON_PERSISTENT' })
    await people.deny(event)
    return event.ChannelMessage.MessageId
  },
  'a denied update': async (text) => {
    const messageId = await sent('hello')
    await people.deny(await people.updateHeld(messageId, { Content: text, Metadata: text }))
    return messageId
  },
  'the text before an update that was released': async (text) => {
    const messageId = await sent(text)
    await people.allow(await people.updateHeld(messageId, { Content: 'hello', Metadata: 'hello' }), harmless)
    return messageId
  },
  'a text that its processor has changed': async (text) => {
    const event = await people.sendHeld(everywhere(text))
    await people.allow(event, harmless)
    return event.ChannelMessage.MessageId
  },
  'the text of one processor that the next one has changed': async (text) => {
    people.channelArn = twiceHeld
    const event = await people.sendHeld()
    await people.allow(event, everywhere(text))
    await people.allow(await server.processors.nextAfter(event), harmless)
    return event.ChannelMessage.MessageId
  },
  'the text of one processor, before the next one denies': async (text) => {
    people.channelArn = twiceHeld
    const event = await people.sendHeld()
    await people.allow(event, everywhere(text))
    await people.deny(await server.processors.nextAfter(event))
    return event.ChannelMessage.MessageId
  },
  'the text of a denying callback': async (text) => {
    const event = await people.sendHeld()
    await people.deny(event, everywhere(text))
    return event.ChannelMessage.MessageId
  },
  'the text of a second callback': async (text) => {
    const event = await people.sendHeld()
    await people.allow(event, harmless)
    await assertRefused(people.allow(event, everywhere(text)), 'BadRequest')
    return event.ChannelMessage.MessageId
  },
  'the text of a callback that is too long': async (text) => {
    const event = await people.sendHeld()
    await assertRefused(people.allow(event, { Content: text.padEnd(5_000, '.') }), 'BadRequest')
    await people.allow(event)
    return event.ChannelMessage.MessageId
  },
  'a redacted message': async (text) => {
    const messageId = await sent(text)
    await people.redact(messageId)
    return messageId
  },
  'a deleted message': async (text) => {
    const messageId = await sent(text)
    await people.delete(messageId)
    return messageId
  },
  'a deleted message that no flow held': async (text) => {
    people.channelArn = plainChannel
    const { MessageId } = await people.send(everywhere(text))
    await people.delete(MessageId)
    return MessageId!
  },
  'a message that an operator has denied': async (text) => {
    const { ChannelMessage } = await people.sendHeld(everywhere(text))
    await act(ChannelMessage.MessageId, 'deny', { ReasonCode: 'RUDE', ReasonText: 'Please keep it friendly' })
    return ChannelMessage.MessageId
  },
  'a message that an operator has approved with another text': async (text) => {
    const { ChannelMessage } = await people.sendHeld({ Content: text, Metadata: text })
    await act(ChannelMessage.MessageId, 'complete', { Content: 'hello', Metadata: 'hello' })
    return ChannelMessage.MessageId
  },
  'an update that an operator has approved with another text': async (text) => {
    const messageId = await sent('hello')
    await people.updateHeld(messageId, { Content: text, Metadata: text })
    await act(messageId, 'complete', { Content: 'hello', Metadata: 'hello' })
    return messageId
  },
  'a message that its function quotes in an error, handed over again, and denied': async (text) => {
    people.channelArn = quoted
    const { MessageId } = await people.send(everywhere(text))
    const isTried = async () =>
      (await store.read.get(
        `SELECT 1 FROM flow_step WHERE message_id = $1 AND owner = '' AND failure IS NOT NULL`,
        MessageId!,
      )) !== undefined
    await until(isTried)
    await act(MessageId, 'again')
    await until(isTried)
    await act(MessageId, 'deny', { ReasonCode: 'SPAM' })
    return MessageId!
  },
}

async function allColumns(): Promise<[table: string, column: string][]> {
  const text = onPostgres
    ? `SELECT table_name AS of, column_name AS name FROM information_schema.columns
       WHERE table_schema = current_schema() AND table_name IN (
         SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE')`
    : `SELECT sqlite_schema.name AS of, info.name AS name
       FROM sqlite_schema, pragma_table_info(sqlite_schema.name) AS info WHERE sqlite_schema.type = 'table'`
  const rows = await store.read.all<{ of: string; name: string }>(text)
  return rows.map(({ of, name }) => [of, name])
}

/** The columns with this text, as it is or in hexadecimal digits. */
async function columnsWith(text: string): Promise<string[]> {
  const found: string[] = []
  const hex = Buffer.from(text).toString('hex')
  for (const [table, column] of await allColumns()) {
    const has = `CAST("${column}" AS TEXT) LIKE $1 OR CAST("${column}" AS TEXT) LIKE $2`
    if (await store.read.get(`SELECT 1 FROM "${table}" WHERE ${has} LIMIT 1`, `%${text}%`, `%${hex}%`))
      found.push(`${table}.${column}`)
  }
  return found.sort()
}

test('a text of every kind is found while it must be there', async () => {
  people.channelArn = onceHeld
  const messageId = await sent('hello')
  await people.updateHeld(messageId, { Content: 'a held-text' })
  people.channelArn = twiceHeld
  const event = await people.sendHeld({ Content: 'a held-text' })
  await people.allow(event, { Content: 'another held-text' })
  assert.deepEqual(await columnsWith('held-text'), [
    'channel_message.content',
    'flow_run.requested_json',
    'flow_run.text_json',
  ])
  assert.ok((await allColumns()).length > 100)
})

test('a denied or replaced text is in no table, file, log line, audit row or timeline', async () => {
  const ids: string[] = []
  for (const [index, way] of Object.values(ways).entries()) {
    people.channelArn = onceHeld
    ids.push(await way(`${mark} number ${index}`))
  }
  // Rejected callbacks are counted, and outcomes written, a second later.
  for (let seconds = 0; seconds < 3; seconds += 1) {
    clock.advance(1_000)
    await store.ready()
  }

  assert.deepEqual(await columnsWith(mark), [])
  assert.ok(lines.length > ids.length)
  assert.deepEqual(
    lines.filter((line) => line.includes(mark)),
    [],
  )
  const { body: audit } = await server.call('GET', '/carillon/v1/audit')
  assert.ok(audit.AuditEvents.length > 0)
  assert.ok(!JSON.stringify(audit).includes(mark))
  for (const messageId of ids) {
    const { status, body } = await server.call('GET', `/carillon/v1/messages/${messageId}/timeline`)
    assert.ok(status === 200 || status === 404)
    assert.ok(!JSON.stringify(body).includes(mark))
  }
  for (const list of ['pending', 'failed', 'processors']) {
    const { body } = await server.call('GET', `/carillon/v1/${list}`)
    // The output and the errors of a function are as its author wrote them, and kept in memory only.
    const text = JSON.stringify(body, (member, value) => (['LastOutput', 'Error'].includes(member) ? undefined : value))
    assert.ok(!text.includes(mark))
  }
  if (onPostgres) return
  const { stdout } = await carillon('trace', ids.at(-1)!, '--data-dir', server.dataDir)
  assert.match(stdout, /TypeError/)
  assert.ok(!stdout.includes(mark))
  clock.advance(truncateAfterMs)
  await until(async () => (await filesWith(mark, server.dataDir)).length === 0)
})
