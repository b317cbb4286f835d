import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { dataLost } from '../../src/cli/serve.ts'
import { readConfig } from '../../src/config.ts'
import { Metrics } from '../../src/runtime/metrics.ts'
import { unlessRequired } from '../support/required.ts'

/* The files that operators copy: whether their own tools accept them, and whether they fit the server. */
const docs = join(import.meta.dirname, '../../docs')
const read = (file: string) => readFileSync(join(docs, file), 'utf8')
const without = (tool: string) =>
  unlessRequired(spawnSync(tool, ['--version']).status === 0 ? false : `${tool} is not installed`)

suite('docs/systemd/carillon.service', () => {
  const unit = read('systemd/carillon.service')
  const values = (name: string) =>
    [...unit.matchAll(new RegExp(`^#?${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)

  test('is what systemd understands', { skip: without('systemd-analyze') }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-unit-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'carillon.service')
    // The program must be there, and what is commented out must be good as well.
    const here = unit.replace('/usr/bin/node', process.execPath).replaceAll(/^#(?=(LoadCredential|Environment)=)/gm, '')
    await writeFile(file, here)
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    const complaints = (stdout + stderr).split('\n').filter((line) => line.includes('carillon.service'))
    assert.deepEqual(complaints, [])
    assert.equal(status, 0)
  })

  test('sets variables that the server knows', () => {
    const environment = Object.fromEntries(values('Environment').map((pair) => pair.split('=')))
    assert.ok(Object.keys(environment).length > 4)
    const secrets: Record<string, string> = {
      '%d/database_url': 'postgres://carillon:secret@127.0.0.1/carillon',
      '%d/nats_url': 'nats://127.0.0.1:4222',
    }
    const { config, warnings } = readConfig([], environment, (path) => secrets[path] ?? assert.fail(path))
    assert.deepEqual(warnings, [])
    assert.equal(config.dataDir, `/var/lib/${values('StateDirectory')[0]}`)
    assert.equal(config.databaseUrl, secrets['%d/database_url'])
  })

  test('runs the server without npm, and gives it the time to stop', () => {
    const [command = ''] = values('ExecStart')
    const [, script = ''] = /^\/usr\/bin\/node \S+\/node_modules\/carillon\/(\S+) serve$/.exec(command) ?? []
    assert.ok(existsSync(join(docs, '..', script)), `the package has no ${script}`)
    assert.ok(Number(values('TimeoutStopSec')[0]) >= 10)
  })
})

test('docs/systemd and docs/operations.md know the exit code of a server that must not be started again', () => {
  const unit = read('systemd/carillon.service')
  assert.match(unit, new RegExp(`^RestartPreventExitStatus=${dataLost}$`, 'm'))
  assert.match(unit, /^RequiresMountsFor=\/var\/lib\/carillon$/m)
  assert.match(read('operations.md'), new RegExp(`^\\| ${dataLost} \\| its data is gone`, 'm'))
})

suite('docs/prometheus', () => {
  const alerts = read('prometheus/alerts.yml')
  const expressions = [...alerts.matchAll(/^ +expr: (.*)$/gm)].map(([, expression = '']) => expression)

  test('is what Prometheus understands', { skip: without('promtool') }, () => {
    // It reads the file of the rules, too.
    const check = spawnSync('promtool', ['check', 'config', join(docs, 'prometheus/prometheus.yml')], {
      encoding: 'utf8',
    })
    assert.match(check.stdout + check.stderr, new RegExp(`SUCCESS: ${expressions.length} rules found`))
    assert.equal(check.status, 0, check.stderr)
  })

  test('uses only metrics and labels that exist', async () => {
    const series = await everySeries()
    assert.ok(expressions.length > 10)
    for (const expression of expressions) {
      const [, name = ''] = /(carillon_\w+|up)/.exec(expression) ?? []
      const known = name === 'up' ? ['job', 'instance'] : series.get(name)
      assert.ok(known, `${name} is no metric: ${expression}`)
      const selected = [...expression.matchAll(/[{,]\s*(\w+)(?:=|!=|=~)"/g)].map(([, label = '']) => label)
      const grouped = [...expression.matchAll(/ by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '))
      for (const label of [...selected, ...grouped]) {
        assert.ok([...known, 'instance'].includes(label), `${name} has no label ${label}: ${expression}`)
      }
    }
  })

  test('has the alerts of docs/operations.md, and no others', () => {
    const rows = tableOf('| Alert | Means |')
    const suggested = rows.map((row) => /^\| `(.*)` \|/.exec(row)?.[1]?.replaceAll('\\|', '|'))
    assert.ok(suggested.length > 5)
    assert.deepEqual(suggested.sort(), expressions.toSorted(), 'docs/operations.md, and docs/prometheus/alerts.yml')
  })
})

test('docs/operations.md has every metric, with its labels, and no others', async () => {
  const documented = tableOf('| Metric | Labels | Shows |').flatMap((row) => {
    const [, names = '', labels = ''] = row.split('|')
    return quoted(names).map((name) => [name, quoted(labels)] as const)
  })
  const series = [...(await everySeries())].filter(([name]) => !/_(sum|count)$/.test(name))
  const there = new Map(series.map(([name, labels]) => [name.replace(/_bucket$/, ''), labels]))
  assert.deepEqual(documented.map(([name]) => name).sort(), [...there.keys()].sort())
  for (const [name, labels] of documented) {
    const own = there.get(name)?.filter((label) => label !== 'le') ?? []
    assert.deepEqual([name, own.filter((label) => !labels.includes(label))], [name, []])
  }
})

/** The rows of a table of docs/operations.md. */
function tableOf(head: string): string[] {
  const [, rows = ''] = read('operations.md').split(`\n${head}\n${head.replaceAll(/[^|]+/g, '---')}\n`)
  return rows.split('\n\n')[0]!.split('\n')
}

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`(\w+)`/g)].map(([, word = '']) => word)
}

/** The labels of every series of a server, by its name. */
async function everySeries(): Promise<Map<string, string[]>> {
  const metrics = new Metrics()
  metrics.beginRequest()('SendChannelMessage', 500)
  metrics.beginCommit(1)()
  metrics.beginDispatch('redact')('crashed')
  metrics.countCallback('invalid')
  metrics.countShortage('descriptors')
  metrics.countConnectionRejection('all')
  metrics.countSendRejection('processor')
  metrics.countSessionClose(1013)
  metrics.countSessionRefusal(403)
  metrics.countRun('SENT')
  metrics.countCreds('issued')
  metrics.readFrom({
    sessions: () => ({ sessions: 1, sockets: 1, deliveries: 1 }),
    pending: async () => [{ processor: 'redact', messages: 1, oldestSeconds: 1 }],
    logLag: () => 0,
    isBusConnected: () => true,
    steps: () => [{ processor: 'redact', waiting: 1, inFlight: 1 }],
    connections: () => ({ authenticated: 1, unauthenticated: 1 }),
    sendsQueued: () => 1,
    work: async () => [{ kind: 'purge-channel', due: 1, oldestSeconds: 1 }],
  })
  const lines = (await metrics.text()).split('\n').filter((line) => /^\w/.test(line))
  return new Map(
    lines.map((line) => {
      const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? []
      return [name, [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label)]
    }),
  )
}
