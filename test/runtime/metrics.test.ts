import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Metrics, processorLabelsMax } from '../../src/runtime/metrics.ts'

const logLag = () => 0
const isBusConnected = () => true
const sessions = () => ({ sessions: 3, sockets: 4, deliveries: 50 })

/** The lines of the metrics whose name begins so. */
async function lines(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(name))
}

const idle = {
  steps: () => [],
  connections: () => ({ authenticated: 0, unauthenticated: 0 }),
  sendsQueued: () => 0,
  work: async () => [{ kind: 'purge-channel', due: 2, oldestSeconds: 7 }],
}

suite('metrics', () => {
  test('are counted by each server for itself', async () => {
    const [one, other] = [new Metrics(), new Metrics()]
    one.beginRequest()('SendChannelMessage', 201)
    assert.deepEqual(await lines(one, 'carillon_requests_total{'), [
      'carillon_requests_total{operation="SendChannelMessage",status="201"} 1',
    ])
    assert.deepEqual(await lines(other, 'carillon_requests_total{'), [])
  })

  test('name no more processors than a scrape can bear', async () => {
    const metrics = new Metrics()
    for (let index = 0; index < processorLabelsMax + 5; index += 1) metrics.beginDispatch(`f${index}`)('completed')
    metrics.beginDispatch('f0')('crashed')
    const dispatches = await lines(metrics, 'carillon_dispatches_total{')
    assert.equal(dispatches.length, processorLabelsMax + 2)
    assert.ok(dispatches.includes('carillon_dispatches_total{processor="f0",result="crashed"} 1'))
    assert.ok(dispatches.includes('carillon_dispatches_total{processor="other",result="completed"} 5'))
  })

  test('time attempts, and no hand-off that was put off', async () => {
    const metrics = new Metrics()
    metrics.beginDispatch('f')('completed')
    metrics.beginDispatch('f')('deferred')
    assert.deepEqual(await lines(metrics, 'carillon_dispatches_total{'), [
      'carillon_dispatches_total{processor="f",result="completed"} 1',
      'carillon_dispatches_total{processor="f",result="deferred"} 1',
    ])
    assert.deepEqual(await lines(metrics, 'carillon_dispatch_duration_seconds_count'), [
      'carillon_dispatch_duration_seconds_count{processor="f"} 1',
    ])
  })

  test('put the codes together with which peers close as they like', async () => {
    const metrics = new Metrics()
    for (const code of [1000, 1005, 4002, 4100, 4999, 3000]) metrics.countSessionClose(code)
    assert.deepEqual(await lines(metrics, 'carillon_session_closes_total{'), [
      'carillon_session_closes_total{code="1000"} 1',
      'carillon_session_closes_total{code="1005"} 1',
      'carillon_session_closes_total{code="4002"} 1',
      'carillon_session_closes_total{code="other"} 3',
    ])
  })

  test('ask their sources at every scrape, and forget what is no more', async () => {
    const metrics = new Metrics()
    let pending = [{ processor: 'slow', messages: 2, oldestSeconds: 90.5 }]
    metrics.readFrom({ sessions, pending: async () => pending, logLag, isBusConnected, ...idle })
    assert.deepEqual(await lines(metrics, 'carillon_deliveries_total '), ['carillon_deliveries_total 50'])
    assert.deepEqual(await lines(metrics, 'carillon_deliveries_total '), ['carillon_deliveries_total 50'])
    assert.deepEqual(await lines(metrics, 'carillon_sessions '), ['carillon_sessions 3'])
    const oldest = 'carillon_oldest_pending_seconds{'
    assert.deepEqual(await lines(metrics, oldest), [`${oldest}processor="slow"} 90.5`])
    assert.deepEqual(await lines(metrics, 'carillon_pending_messages{'), [
      'carillon_pending_messages{processor="slow"} 2',
    ])
    pending = []
    assert.deepEqual(await lines(metrics, oldest), [])
  })

  test('say that the store does not say what is pending, and show all the rest', async () => {
    const metrics = new Metrics()
    const away = () => Promise.reject(new Error('away'))
    metrics.readFrom({ sessions, pending: away, logLag, isBusConnected, ...idle })
    assert.deepEqual(await lines(metrics, 'carillon_pending_unknown '), ['carillon_pending_unknown 1'])
    assert.deepEqual(await lines(metrics, 'carillon_pending_messages{'), [])
    assert.deepEqual(await lines(metrics, 'carillon_sessions '), ['carillon_sessions 3'])
    metrics.readFrom({ sessions, pending: async () => [], logLag, isBusConnected, ...idle })
    assert.deepEqual(await lines(metrics, 'carillon_pending_unknown '), ['carillon_pending_unknown 0'])
  })

  test('tell what background work is due, unless the store cannot say', async () => {
    const metrics = new Metrics()
    const sources = { sessions, pending: async () => [], logLag, isBusConnected, ...idle }
    metrics.readFrom(sources)
    assert.deepEqual(await lines(metrics, 'carillon_work_due{'), ['carillon_work_due{kind="purge-channel"} 2'])
    const oldest = 'carillon_oldest_work_seconds{'
    assert.deepEqual(await lines(metrics, oldest), [`${oldest}kind="purge-channel"} 7`])
    metrics.readFrom({ ...sources, work: () => Promise.reject(new Error('away')) })
    assert.deepEqual(await lines(metrics, oldest), [])
    assert.deepEqual(await lines(metrics, 'carillon_pending_unknown '), ['carillon_pending_unknown 1'])
  })

  test('tell how far behind the log is, and whether the bus is there', async () => {
    const metrics = new Metrics()
    metrics.readFrom({ sessions, pending: async () => [], logLag: () => 12, isBusConnected: () => false, ...idle })
    assert.deepEqual(await lines(metrics, 'carillon_log_lag_events '), ['carillon_log_lag_events 12'])
    assert.deepEqual(await lines(metrics, 'carillon_bus_connected '), ['carillon_bus_connected 0'])
  })

  test('have base units and names of one manner, and say what they are', async () => {
    const described = await lines(new Metrics(), '# HELP ')
    assert.ok(described.length > 15)
    for (const line of described) assert.match(line, /^# HELP carillon_[a-z_]+ [A-Z1]\S* \S+/)
  })
})
