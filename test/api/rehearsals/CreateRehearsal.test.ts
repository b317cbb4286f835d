import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()

interface Person {
  AppInstanceUserArn: string
  Name: string
  AccessKeyId: string
  SecretAccessKey: string
  SessionToken: string
}

async function rehearse(input: object = { FunctionNames: ['first'] }) {
  const { status, body } = await server.call('POST', '/carillon/v1/rehearsals', { body: input })
  assert.equal(status, 201, JSON.stringify(body))
  return body as { AppInstanceArn: string; ChannelArn: string; ChannelFlowArn: string; Users: [Person, Person] }
}

/** The SDK with the temporary key of the person. */
const sdkOf = ({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken }: Person) =>
  new ChimeSDKMessaging({
    endpoint: server.endpoint.http,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    maxAttempts: 1,
  })

suite('CreateRehearsal', () => {
  test('makes a channel in which two people try the functions with keys of their own', async (t) => {
    const { ChannelArn, ChannelFlowArn, Users } = await rehearse({ FunctionNames: ['first', 'second'] })
    assert.deepEqual(
      Users.map(({ Name }) => Name),
      ['Ada', 'Ben'],
    )
    const [ada, ben] = Users
    const [sdk, other] = [sdkOf(ada), sdkOf(ben)]
    t.after(() => [sdk, other].map((client) => client.destroy()))
    const { Channel } = await sdk.describeChannel({ ChannelArn, ChimeBearer: ada.AppInstanceUserArn })
    assert.equal(Channel?.ChannelFlowArn, ChannelFlowArn)
    assert.equal(Channel?.ExpirationSettings?.ExpirationDays, 1)
    const { ChannelFlow } = await server.messaging.describeChannelFlow({ ChannelFlowArn })
    const processors = ChannelFlow?.Processors?.map(({ Name, FallbackAction }) => [Name, FallbackAction])
    assert.deepEqual(processors, [
      ['first', 'ABORT'],
      ['second', 'ABORT'],
    ])
    const message = { ChannelArn, Content: 'Hello', Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
    const ChimeBearer = ben.AppInstanceUserArn
    const sent = await other.sendChannelMessage({ ...message, ChimeBearer, ClientRequestToken: 'first' })
    assert.equal(sent.Status?.Value, 'PENDING')
    await assert.rejects(sdk.sendChannelMessage({ ...message, ChimeBearer, ClientRequestToken: 'second' }))
  })

  test('finds the AppInstance, the people and the flow again, and makes another channel', async () => {
    const { Users, ChannelArn, ...first } = await rehearse()
    const { Users: again, ChannelArn: another, ...second } = await rehearse()
    assert.deepEqual(first, second)
    assert.notEqual(ChannelArn, another)
    const arnsOf = (users: Person[]) => users.map(({ AppInstanceUserArn }) => AppInstanceUserArn)
    assert.deepEqual(arnsOf(Users), arnsOf(again))
    const otherFallback = await rehearse({ FunctionNames: ['first'], FallbackAction: 'CONTINUE' })
    assert.notEqual(otherFallback.ChannelFlowArn, first.ChannelFlowArn)
  })

  test('makes the AppInstance again if it was deleted', async () => {
    const { AppInstanceArn } = await rehearse()
    await server.identity.deleteAppInstance({ AppInstanceArn })
    assert.notEqual((await rehearse()).AppInstanceArn, AppInstanceArn)
  })

  test('refuses more than three functions, and names that are none', async () => {
    for (const FunctionNames of [[], ['a', 'b', 'c', 'd'], ['../a'], undefined]) {
      const { status } = await server.call('POST', '/carillon/v1/rehearsals', { body: { FunctionNames } })
      assert.equal(status, 400)
    }
  })
})
