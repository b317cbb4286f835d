import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Credentials } from '../../../src/keys/key.ts'
import { carillon } from '../../support/carillon.ts'
import { populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'
import { TestKeys } from '../../support/test-keys.ts'

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })
const made = new TestKeys(server, store)
const minuteMs = 60_000

interface Found {
  Kind: string
  Subject: string
  Problem: string
  Remedy: string
}

async function findingsFor(credentials: Credentials): Promise<Found[]> {
  const { status, body } = await server.call('GET', '/carillon/v1/diagnosis', { credentials })
  assert.equal(status, 200)
  return body.Findings
}

const kindsFor = async (credentials: Credentials) =>
  (await findingsFor(credentials)).map(({ Kind, Subject }) => [Kind, Subject])

async function setStage() {
  const people = await populate(server)
  const { appInstanceArn: subjectArn } = people
  return { people, viewer: await made.kept({ kind: 'operator', role: 'viewer', subjectArn }) }
}

suite('GetDiagnosis', () => {
  test('finds channels without a flow in an AppInstance that has flows and requires none', async () => {
    const { people, viewer } = await setStage()
    assert.deepEqual(await findingsFor(viewer), [], 'without flows, no channel needs one')
    const flow = await people.createFlow(['first'])
    const { appInstanceArn: ResourceARN } = people
    const found = await findingsFor(viewer)
    assert.deepEqual(
      found.map(({ Kind, Subject, Problem }) => [Kind, Subject, Problem]),
      [['CHANNELS_WITHOUT_FLOW', ResourceARN, '1 of 1 channels have no flow']],
    )
    await server.identity.tagResource({ ResourceARN, Tags: [{ Key: 'carillon:required-flow', Value: flow }] })
    assert.deepEqual(await findingsFor(viewer), [])
  })

  test('finds flows whose function is not there', async () => {
    const { people, viewer } = await setStage()
    const flow = await people.attachFlow(['first', 'nowhere'])
    const [{ Kind, Subject, Problem, Remedy }, ...others] = (await findingsFor(viewer)) as [Found]
    assert.deepEqual([Kind, Subject, others], ['FUNCTION_MISSING', flow, []])
    assert.equal(Problem, 'its function nowhere is not there')
    assert.match(Remedy, /^put nowhere\.mjs into the functions folder/)
  })

  test('finds processors that have given no verdict for an hour, and paused ones', async () => {
    const { people, viewer } = await setStage()
    await people.attachFlow(['second'])
    const event = await people.sendHeld()
    const age = (minutes: number) =>
      store.write('UPDATE flow_step SET created_at = created_at - $1', minutes * minuteMs)
    await age(59)
    assert.deepEqual(await findingsFor(viewer), [])
    await age(2)
    assert.deepEqual(await kindsFor(viewer), [['PROCESSOR_SILENT', 'second']])
    assert.deepEqual(await kindsFor((await setStage()).viewer), [], 'not in another AppInstance')

    const target = '/carillon/v1/processors/second?operation='
    await server.call('POST', `${target}pause`)
    assert.deepEqual(await kindsFor(viewer), [['PROCESSOR_PAUSED', 'second']])
    await server.call('POST', `${target}resume`)
    await people.allow(event)
    assert.deepEqual(await findingsFor(viewer), [])
  })

  test('npx carillon doctor prints a line for each finding, and its exit code is 1', async () => {
    const { people } = await setStage()
    await people.attachFlow(['nowhere'])
    const findings = await findingsFor(server.credentials)
    const { status, stdout } = await carillon('doctor', '--data-dir', server.dataDir)
    assert.equal(status, 1)
    assert.equal(stdout.trimEnd().split('\n').length, findings.length)
    assert.match(stdout, /^arn:.+: its function nowhere is not there\. put nowhere\.mjs into/m)
    const json = await carillon('doctor', '--json', '--data-dir', server.dataDir)
    assert.deepEqual(JSON.parse(json.stdout), findings)
  })
})
