import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { corpus } from './corpus.ts'
import type { Answer, Send, World } from './corpus-case.ts'
import { bytesOf, exchange, type WireAnswer } from './wire.ts'

const server = await startTestServer()
const world = await createWorld()
const signing = { endpoint: server.endpoint.http, credentials: server.credentials, signingDate: new Date() }

for (const [subject, cases] of Object.entries(corpus)) {
  suite(subject, () => {
    for (const { name, send, answers } of cases) {
      test(name, { timeout: 30_000 }, async () => {
        const answered = await exchange(server.endpoint.http, await bytes(send(world)))
        assert.deepEqual(
          answered.map(({ status }) => status),
          answers.map(({ status }) => status),
        )
        for (const [index, answer] of answers.entries()) assertAnswer(answered[index]!, answer)
      })
    }
  })
}

async function createWorld(): Promise<World> {
  const people = await populate(server)
  const { appInstanceArn, channelArn, owner } = people
  const { MessageId } = await people.send({ ChimeBearer: owner })
  const channel = `/channels/${encodeURIComponent(channelArn)}`
  const foreigner = (await populate(server)).owner
  return { appInstanceArn, channelArn, channel, message: `${channel}/messages/${MessageId}`, owner, foreigner }
}

async function bytes(sent: ReturnType<Send>): Promise<Buffer> {
  if (typeof sent === 'string') return Buffer.from(sent, 'latin1')
  const calls = Array.isArray(sent) ? sent : [sent]
  return Buffer.concat(
    await Promise.all(calls.map((call, index) => bytesOf(call, signing, index === calls.length - 1))),
  )
}

/** Whatever is refused is refused in JSON, in AWS's form: SDKs read no other. */
function assertAnswer({ status, headers, body }: WireAnswer, { type, code, text = /^/ }: Answer): void {
  if (status === 100) return
  assert.ok(headers.get('x-amzn-requestid'))
  assert.ok(Number.isInteger(Date.parse(headers.get('date') ?? '')), 'there is no date')
  assert.equal(headers.get('access-control-allow-origin'), '*')
  assert.equal(headers.get('x-amzn-errortype'), type)
  if (code === undefined) {
    assert.match(body, text)
    return
  }
  assert.equal(headers.get('content-type'), 'application/json')
  const { Message, ...rest } = JSON.parse(body)
  assert.deepEqual(rest, { Code: code })
  assert.match(Message, text)
}
