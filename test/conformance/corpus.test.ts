import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { exchange, readCorpus, signed } from '../../conformance/corpus.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'

const names = { cpp: 'C++', dotnet: '.NET', 'go-v2': 'Go v2', kotlin: 'Kotlin', php: 'PHP', ruby: 'Ruby' }
const server = await startTestServer()
const people = await populate(server)

/** Signs each request of a file in turn; they share the InvocationId and the Token. */
function requestsOf(name: string) {
  const values = {
    ChannelArn: people.channelArn,
    ChimeBearer: people.owner,
    Host: new URL(server.endpoint.http).host,
    InvocationId: randomUUID(),
    Token: randomUUID(),
  }
  const signing = { credentials: server.credentials, region: 'us-east-1', date: new Date(server.clock.now()) }
  return readCorpus(name).map(({ text, ...request }) => ({ ...request, text: signed(text, values, signing) }))
}

async function replay(name: string) {
  const responses = []
  for (const { status, title, text } of requestsOf(name)) {
    const response = await exchange(server.endpoint.http, text)
    assert.equal(response.status, status, `${title}: ${JSON.stringify(response.body)}`)
    responses.push(response)
  }
  return responses
}

for (const [name, language] of Object.entries(names)) {
  suite(`the AWS SDK for ${language}`, () => {
    test('sends a message, repeats the call, lists, and gets an error that it can read', async () => {
      const [sent, repeated, listed, refused] = await replay(name)
      assert.equal(repeated?.body.MessageId, sent?.body.MessageId)
      assert.ok(listed?.body.ChannelMessages.length > 0)
      assert.match(String(refused?.headers), /^x-amzn-errortype: ForbiddenException\r?$/im)
      const { ChannelMessage } = await server.messaging.getChannelMessage({
        ChannelArn: people.channelArn,
        ChimeBearer: people.owner,
        MessageId: sent?.body.MessageId,
      })
      assert.equal(ChannelMessage?.Content, '🔔 déjà 1/2')
    })
  })
}

test('a request that was changed after it was signed is rejected', async () => {
  const [request] = requestsOf('cpp')
  const response = await exchange(server.endpoint.http, request!.text.replace('déjà', 'jàdé'))
  assert.equal(response.status, 403)
})
