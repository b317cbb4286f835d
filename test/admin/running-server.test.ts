import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../support/manual-clock.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { until } from '../support/until.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock, flags: ['--admin-port', '0'] })
const people = await populate(server)

async function value(line: string): Promise<number> {
  const text = await (await fetch(`${server.endpoint.admin}/metrics`)).text()
  const found = text.split('\n').find((one) => one.startsWith(`${line} `))
  return found === undefined ? 0 : Number(found.slice(line.length + 1))
}

const reaches = (line: string, expected: number) => until(async () => (await value(line)) === expected)

suite('a running server', () => {
  test('is ready', async () => {
    const { admin } = server.endpoint
    const needed = ['server', 'store', 'descriptors', 'memory', 'disk']
    const reported = ['bus', 'log', 'disk space', 'functions folder', 'processes']
    const answer = await fetch(`${admin}/readyz`)
    const checks = Object.fromEntries([...needed, ...reported].map((name) => [name, 'ok']))
    assert.deepEqual([answer.status, await answer.json()], [200, { ready: true, checks }])
  })

  test('counts calls by operation and status, and their commits', async () => {
    const before = await value('carillon_commit_changes_sum')
    await people.send()
    await assert.rejects(people.send({ ChimeBearer: people.stranger }))
    assert.equal(await value('carillon_requests_total{operation="SendChannelMessage",status="201"}'), 1)
    assert.equal(await value('carillon_requests_total{operation="SendChannelMessage",status="403"}'), 1)
    assert.equal(await value('carillon_request_duration_seconds_count{operation="SendChannelMessage"}'), 2)
    assert.ok((await value('carillon_commit_changes_sum')) > before)
    assert.ok((await value('carillon_commit_duration_seconds_count')) > 0)
    await fetch(`${server.endpoint.http}/nothing`)
    assert.equal(await value('carillon_requests_total{operation="none",status="404"}'), 1)
  })

  test('names the processor that is stuck, and for how long', async () => {
    const completed = 'carillon_dispatches_total{processor="first",result="completed"}'
    await people.attachFlow(['first'])
    const event = await people.sendHeld()
    await people.sendHeld()
    // A function that is still at work would run into its timeout.
    await reaches(completed, 2)
    clock.advance(90_000)
    assert.equal(await value('carillon_pending_messages{processor="first"}'), 2)
    assert.equal(await value('carillon_oldest_pending_seconds{processor="first"}'), 90)
    await people.allow(event)
    assert.equal(await value('carillon_pending_messages{processor="first"}'), 1)
    await assert.rejects(people.allow(event))
    const other = await people.sendHeld()
    await people.deny(other)
    const results = ['allowed', 'denied', 'not_pending', 'forbidden'].map((result) =>
      value(`carillon_callbacks_total{result="${result}"}`),
    )
    assert.deepEqual(await Promise.all(results), [1, 1, 1, 0])
    await reaches(completed, 3)
    assert.equal(await value('carillon_dispatch_duration_seconds_count{processor="first"}'), 3)
  })

  test('counts sessions, deliveries, closes and refusals', async () => {
    const channelArn = await people.createChannel()
    const before = await value('carillon_deliveries_total')
    const session = await server.session(people.member)
    assert.equal(await value('carillon_sessions'), 1)
    await people.send({ ChannelArn: channelArn })
    await session.next()
    assert.equal(await value('carillon_deliveries_total'), before + 2)
    session.webSocket.close()
    await session.closed
    await reaches('carillon_sessions', 0)
    const nobody = await server.connect(people.user('nobody'))
    assert.equal((await nobody.closed).code, 4003)
    assert.equal(await value('carillon_session_refusals_total{code="4003"}'), 1)
    await reaches('carillon_session_closes_total{code="4003"}', 1)
    assert.equal(await value('carillon_deliveries_total'), before + 2)
  })

  test('measures its process', async () => {
    assert.ok((await value('process_resident_memory_bytes')) > 0)
  })
})
