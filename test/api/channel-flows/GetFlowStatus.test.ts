import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { carillon } from '../../support/carillon.ts'
import { populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'
import { TestKeys } from '../../support/test-keys.ts'
import { until } from '../../support/until.ts'

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })
const made = new TestKeys(server, store)

const statusOf = async (query = '', credentials = server.credentials) => {
  const { status, body } = await server.call('GET', `/carillon/v1/flows/status${query}`, { credentials })
  assert.equal(status, 200)
  return body
}

suite('GetFlowStatus', () => {
  test('counts the channels without a flow, and those that are left', async () => {
    const people = await populate(server)
    const { appInstanceArn: ResourceARN } = people
    const viewer = await made.kept({ kind: 'operator', role: 'viewer', subjectArn: ResourceARN })
    assert.deepEqual(await statusOf('', viewer), { AppInstances: [] })
    const own = await people.attachFlow(['first'])
    await people.createChannel()
    const counts = { AppInstanceArn: ResourceARN, Channels: 2, Partial: false }
    assert.deepEqual(await statusOf('', viewer), { AppInstances: [{ ...counts, WithoutFlow: 1 }] })

    const flow = await people.createFlow(['second'])
    const Tags = [{ Key: 'carillon:required-flow', Value: flow }]
    await server.identity.tagResource({ ResourceARN, Tags })
    const required = { ...counts, RequiredFlowArn: flow }
    await until(async () => (await statusOf('', viewer)).AppInstances[0].Remaining === 0)
    assert.deepEqual(await statusOf('', viewer), { AppInstances: [{ ...required, Remaining: 0, WithoutFlow: 0 }] })

    // As if the background work had not come to these channels yet.
    await store.write('UPDATE channel SET channel_flow_arn = NULL WHERE channel_arn = $1', people.channelArn)
    assert.deepEqual(await statusOf('', viewer), { AppInstances: [{ ...required, Remaining: 1, WithoutFlow: 1 }] })
    await store.write('UPDATE channel SET channel_flow_arn = $2 WHERE channel_arn = $1', people.channelArn, own)
    assert.deepEqual(await statusOf('', viewer), { AppInstances: [{ ...required, Remaining: 1, WithoutFlow: 0 }] })

    const { stdout } = await carillon('flows', 'status', '--data-dir', server.dataDir)
    assert.ok(stdout.includes(`${ResourceARN}\n  requires ${flow}: 1 of 2 channels are left, 0 of them`), stdout)
  })

  test('pages over AppInstances; an operator of one sees that', async () => {
    const [one, two] = [await populate(server), await populate(server)]
    for (const people of [one, two]) await people.createFlow(['first'])
    const found: string[] = []
    let token: string | undefined
    do {
      const body = await statusOf(`?max-results=1${token ? `&next-token=${encodeURIComponent(token)}` : ''}`)
      found.push(...body.AppInstances.map(({ AppInstanceArn }: { AppInstanceArn: string }) => AppInstanceArn))
      token = body.NextToken
    } while (token)
    assert.ok(found.includes(one.appInstanceArn) && found.includes(two.appInstanceArn))
    const operator = await made.kept({ kind: 'operator', subjectArn: two.appInstanceArn })
    const { AppInstances } = await statusOf('', operator)
    assert.deepEqual(AppInstances, [
      { AppInstanceArn: two.appInstanceArn, Channels: 1, WithoutFlow: 1, Partial: false },
    ])
  })

  test('the command needs its action', async () => {
    const { status, stderr } = await carillon('flows')
    assert.equal(status, 1)
    assert.match(stderr, /npx carillon flows status/)
  })
})
