import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
await people.attachFlow(['first', 'second'])

const textOf = (messageId: string, credentials = server.credentials) =>
  server.call('GET', `/carillon/v1/messages/${messageId}/text`, { credentials })

const keyFor = (Role: string) => server.createKey({ Kind: 'OPERATOR', Role })

suite('GetHeldMessage', () => {
  test('returns the text as the processors before have changed it, and its reader is in the audit log', async () => {
    const event = await people.sendHeld({ Content: 'teh bells', Metadata: '{}' })
    const { MessageId, ChannelArn } = event.ChannelMessage
    const facts = { MessageId, ChannelArn, SenderArn: people.member, Metadata: '{}' }
    assert.deepEqual((await textOf(MessageId)).body, { ...facts, Content: 'teh bells' })
    await people.allow(event, { Content: 'the bells' })
    await server.processors.next(MessageId)
    const reviewer = await keyFor('REVIEWER')
    const { status, body } = await textOf(MessageId, reviewer)
    assert.deepEqual([status, body.Content], [200, 'the bells'])
    const { AuditEvents } = (await server.call('GET', '/carillon/v1/audit?max-results=50')).body
    const { AccessKeyId, Action, Facts } = AuditEvents.at(-1)
    assert.deepEqual(
      [AccessKeyId, Action, Facts],
      [reviewer.accessKeyId, 'carillon:GetHeldMessage', { ChannelArn, MessageId }],
    )
  })

  test('is not for a key that only reads', async () => {
    const { ChannelMessage } = await people.sendHeld()
    assert.equal((await textOf(ChannelMessage.MessageId, await keyFor('VIEWER'))).type, 'AccessDeniedException')
  })

  test('has no text of a message that is held no more', async () => {
    const event = await people.sendHeld()
    await people.deny(event)
    assert.equal((await textOf(event.ChannelMessage.MessageId)).type, 'NotFoundException')
  })
})
