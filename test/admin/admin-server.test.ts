import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { AdminServer } from '../../src/admin/admin-server.ts'
import { createHostCheck } from '../../src/admin/host-names.ts'
import { type Check, Readiness } from '../../src/admin/readiness.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { Metrics } from '../../src/runtime/metrics.ts'
import { ManualClock } from '../support/manual-clock.ts'

async function start(t: TestContext, checks: Record<string, Check> = {}, metrics = new Metrics()): Promise<string> {
  const readiness = new Readiness({ needed: checks, reported: {} }, new ManualClock())
  const admin = new AdminServer({ readiness, metrics, log: silentLog, isKnownHost: createHostCheck([]) })
  const port = await admin.listen('127.0.0.1', 0)
  t.after(() => admin.close())
  return `http://127.0.0.1:${port}`
}

suite('the admin port', () => {
  test('says that the process lives, whatever its checks say', async (t) => {
    const url = await start(t, { store: () => Promise.reject(new Error('away')) })
    const answer = await fetch(`${url}/livez`)
    assert.deepEqual([answer.status, await answer.text()], [200, 'ok\n'])
  })

  test('says whether it is ready, for a program by the status and for a person by the reason', async (t) => {
    let problem: string | undefined
    const store = () => {
      if (problem) throw new Error(problem)
    }
    const url = await start(t, { store })
    const good = await fetch(`${url}/readyz`)
    assert.deepEqual([good.status, await good.json()], [200, { ready: true, checks: { store: 'ok' } }])
    assert.equal(good.headers.get('content-type'), 'application/json')
    assert.equal(good.headers.get('cache-control'), 'no-store')
    problem = 'the disk is gone'
    const bad = await fetch(`${url}/readyz?verbose`)
    assert.deepEqual([bad.status, await bad.json()], [503, { ready: false, checks: { store: problem } }])
  })

  test('shows the metrics in the form of Prometheus', async (t) => {
    const metrics = new Metrics()
    metrics.countCallback('denied')
    const answer = await fetch(`${await start(t, {}, metrics)}/metrics`)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.match(await answer.text(), /^carillon_callbacks_total\{result="denied"\} 1$/m)
  })

  test('answers HEAD as GET, without the body', async (t) => {
    const answer = await fetch(`${await start(t)}/readyz`, { method: 'HEAD' })
    assert.deepEqual([answer.status, await answer.text()], [200, ''])
  })

  test('refuses everything else in words', async (t) => {
    const url = await start(t)
    for (const path of ['/', '/metrics/', '/constructor', '/channels']) {
      const answer = await fetch(url + path)
      const words = 'There is no such page; the pages are /livez, /readyz, /metrics\n'
      assert.deepEqual([answer.status, await answer.text()], [404, words])
    }
    const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
    assert.equal(await posted.text(), 'This page is read-only: use GET or HEAD\n')
  })
})
