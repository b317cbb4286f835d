import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Credentials } from '../../../src/keys/key.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)
const others = await populate(server)

interface AuditEvent {
  Timestamp: number
  AccessKeyId: string
  KeyName?: string
  Action: string
  Facts: Record<string, unknown>
  Address: string
  RequestId: string
}

interface Page {
  AuditEvents: AuditEvent[]
  NextToken?: string
}

async function createKey(body: object, credentials = server.credentials): Promise<Credentials> {
  const answer = await server.call('POST', '/carillon/v1/keys', { body, credentials })
  assert.equal(answer.status, 201)
  return { accessKeyId: answer.body.AccessKeyId, secretAccessKey: answer.body.SecretAccessKey }
}

async function page(query: string, credentials = server.credentials): Promise<Page> {
  const { status, body } = await server.call('GET', `/carillon/v1/audit${query}`, { credentials })
  assert.equal(status, 200)
  return body
}

/** All acts from now on, in pages of two. */
async function actsSince(seconds: number, credentials = server.credentials): Promise<AuditEvent[]> {
  const notBefore = `not-before=${encodeURIComponent(new Date(seconds * 1000).toISOString())}`
  const acts: AuditEvent[] = []
  let token = ''
  do {
    const query = `?${notBefore}&max-results=2${token && `&next-token=${encodeURIComponent(token)}`}`
    const { AuditEvents, NextToken } = await page(query, credentials)
    acts.push(...AuditEvents)
    token = NextToken ?? ''
  } while (token !== '')
  return acts
}

/** A time after all acts so far. */
function later(): number {
  clock.advance(1_000)
  return clock.now() / 1000
}

const actions = (acts: AuditEvent[]) => acts.map(({ Action }) => Action)

suite('ListAuditEvents', () => {
  test('returns the acts in their order, in pages, from a time on', async () => {
    const since = later()
    const flow = await people.createFlow(['moderate'])
    const { channelArn: ChannelArn, owner: ChimeBearer } = people
    await server.messaging.associateChannelFlow({ ChannelArn, ChimeBearer, ChannelFlowArn: flow })
    await server.messaging.disassociateChannelFlow({ ChannelArn, ChimeBearer, ChannelFlowArn: flow })
    await server.messaging.deleteChannelFlow({ ChannelFlowArn: flow })
    const acts = await actsSince(since)
    const expected = ['CreateChannelFlow', 'AssociateChannelFlow', 'DisassociateChannelFlow', 'DeleteChannelFlow']
    assert.deepEqual(
      actions(acts),
      expected.map((name) => `chime:${name}`),
    )
    const [created = assert.fail(), associated = assert.fail()] = acts
    assert.equal(created.Facts.ChannelFlowArn, flow)
    assert.deepEqual(associated.Facts, { ChimeBearer, ChannelArn, ChannelFlowArn: flow })
    for (const { AccessKeyId, Address, RequestId, Timestamp } of acts) {
      assert.deepEqual([AccessKeyId, Timestamp], [server.credentials.accessKeyId, since])
      assert.equal(Address, '127.0.0.1')
      assert.match(RequestId, /^[\w-]{36}$/)
    }
    assert.deepEqual(await actsSince(later()), [])
  })

  test('names the key that signed, and has neither its secret nor that of a new one', async () => {
    const since = later()
    const olga = await createKey({ Kind: 'OPERATOR', Name: 'Olga' })
    const phone = await createKey({ Kind: 'USER', SubjectArn: people.member }, olga)
    const acts = await actsSince(since)
    assert.deepEqual(
      acts.map(({ AccessKeyId, KeyName, Facts }) => [AccessKeyId, KeyName, Facts.AccessKeyId]),
      [
        [server.credentials.accessKeyId, 'root', olga.accessKeyId],
        [olga.accessKeyId, 'Olga', phone.accessKeyId],
      ],
    )
    for (const { secretAccessKey } of [olga, phone, server.credentials]) {
      assert.ok(!JSON.stringify(acts).includes(secretAccessKey))
    }
  })

  test('has the decisions about held messages, with the channel and without a text', async () => {
    const reviewer = await createKey({ Kind: 'OPERATOR', Role: 'REVIEWER' })
    await people.attachFlow(['first'])
    const { ChannelMessage } = await people.sendHeld({ Content: 'teh bells' })
    const since = later()
    const target = `/carillon/v1/messages/${ChannelMessage.MessageId}?operation=complete`
    const body = { Content: 'the bells' }
    assert.equal((await server.call('POST', target, { body, credentials: reviewer })).status, 204)
    assert.equal((await server.call('POST', target, { body, credentials: reviewer })).status, 404)
    const [act = assert.fail(), ...more] = await actsSince(since)
    assert.deepEqual([act.Action, act.AccessKeyId, more], ['carillon:CompleteMessage', reviewer.accessKeyId, []])
    assert.deepEqual(act.Facts, { ChannelArn: people.channelArn, MessageId: ChannelMessage.MessageId })
  })

  test('shows an operator of one AppInstance the acts in that alone', async () => {
    const since = later()
    const SubjectArn = people.appInstanceArn
    const operator = await createKey({ Kind: 'OPERATOR', SubjectArn })
    await others.createUser('unseen')
    await people.createUser('seen')
    await server.call('POST', `/carillon/v1/keys/${operator.accessKeyId}?operation=resume`, { credentials: operator })
    const key = await createKey({ Kind: 'USER', SubjectArn: people.member }, operator)
    await server.call('DELETE', `/carillon/v1/keys/${key.accessKeyId}`, { credentials: operator })
    const acts = await actsSince(since, operator)
    const expected = ['carillon:CreateKey', 'chime:CreateAppInstanceUser', 'carillon:CreateKey', 'carillon:DeleteKey']
    assert.deepEqual(actions(acts), expected)
    assert.ok(!JSON.stringify(acts).includes(others.appInstanceArn))
    assert.equal((await actsSince(since)).length, 5)
  })

  test('is for operators of each role, and for nobody else', async () => {
    const viewer = await createKey({ Kind: 'OPERATOR', Role: 'VIEWER' })
    assert.ok((await page('', viewer)).AuditEvents.length > 0)
    for (const body of [
      { Kind: 'USER', SubjectArn: people.admin },
      { Kind: 'CALLBACK', SubjectArn: people.appInstanceArn },
    ]) {
      const credentials = await createKey(body)
      const { status, type } = await server.call('GET', '/carillon/v1/audit', { credentials })
      assert.deepEqual([status, type], [403, 'AccessDeniedException'])
    }
  })

  test('has no row of a call that the key does not permit', async () => {
    const viewer = await createKey({ Kind: 'OPERATOR', Role: 'VIEWER' })
    const since = later()
    const { status } = await server.call('POST', '/carillon/v1/keys', {
      body: { Kind: 'OPERATOR' },
      credentials: viewer,
    })
    assert.equal(status, 403)
    assert.deepEqual(await actsSince(since), [])
  })

  test('a token of another list, or of other parameters, is refused', async () => {
    const { NextToken } = await page('?max-results=1')
    const { status } = await server.call(
      'GET',
      `/carillon/v1/audit?not-before=2020-01-01T00%3A00%3A00Z&next-token=${encodeURIComponent(NextToken!)}`,
    )
    assert.equal(status, 400)
  })
})
