import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const sources = globSync('src/**/*.ts', { cwd: root }).sort()
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/**
 * Imports point down. A folder may import from itself and from what stands behind it here; a name with `.ts` is one file.
 * The files at the top of src, server and cli see everything.
 */
const mayImport: Record<string, string[]> = {
  contract: [],
  store: [],
  bus: ['runtime'],
  signature: ['keys/key.ts'],
  runtime: [],
  tls: ['runtime'],
  keys: ['contract', 'store', 'runtime', 'tls/issue-certificate.ts'],
  processor: ['contract', 'signature', 'keys/key.ts', 'runtime'],
  flow: ['contract', 'store', 'runtime', 'processor/target.ts', 'processor/processor-event.ts'],
  cluster: ['store', 'runtime'],
  events: ['contract', 'store', 'bus', 'runtime'],
  session: ['contract', 'store', 'bus', 'signature', 'keys/key.ts', 'runtime', 'events/frame.ts'],
  api: [
    'contract',
    'store',
    'runtime',
    'keys',
    'flow/transition.ts',
    'flow/decision.ts',
    'flow/timeline.ts',
    'flow/paused-functions.ts',
    'flow/pending.ts',
    'events/event-kind.ts',
    'processor/processor-states.ts',
  ],
  http: ['contract', 'signature', 'keys/key.ts', 'runtime', 'tls/issue-certificate.ts'],
  creds: ['contract', 'store', 'runtime', 'keys', 'api', 'http', 'processor/answering-function.ts'],
  sts: ['contract', 'keys', 'store', 'signature', 'runtime'],
  admin: ['runtime'],
  console: [
    'contract',
    'store',
    'signature',
    'runtime',
    'keys',
    'http',
    'flow/pending.ts',
    'flow/failed.ts',
    'session/refuse-upgrade.ts',
  ],
  upkeep: ['contract', 'store', 'runtime', 'api'],
}
const engines = ['store/sqlite.ts', 'store/postgres.ts', 'bus/memory.ts', 'bus/nats.ts']

interface Import {
  from: string
  to: string
}

/** Paths below src, such as `flow/engine.ts`. */
function importsOf(file: string): Import[] {
  const specifiers = [...read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map((match) => match[1] as string)
  const here = relative('src', file)
  return specifiers.map((specifier) => ({ from: here, to: join(dirname(here), specifier) }))
}

const imports = sources.flatMap(importsOf)
const folderOf = (path: string) => (path.includes('/') ? (path.split('/')[0] as string) : '')

test('the rules are looked at: there are sources, and they import each other', () => {
  assert.ok(sources.length > 50, `only ${sources.length} files were found below src`)
  assert.ok(imports.length > 100, `only ${imports.length} imports were found`)
})

test('imports point down', () => {
  const wrong = imports.filter(({ from, to }) => {
    const folder = folderOf(from)
    if (['', 'server', 'cli'].includes(folder)) return false
    const allowed = mayImport[folder]
    assert.ok(allowed, `src/${folder} has no rule: give it one in ${relative(root, import.meta.filename)}`)
    return (
      folderOf(to) !== folder && !allowed.some((rule) => (rule.endsWith('.ts') ? to === rule : folderOf(to) === rule))
    )
  })
  assert.deepEqual(
    wrong,
    [],
    'an import points up or sideways: let server.ts hand in what is missing, or move the code to the room it belongs to',
  )
})

test('only open-record.ts and open-store.ts name a concrete engine', () => {
  const mayName = ['server/open-record.ts', 'open-store.ts']
  const wrong = imports.filter(
    ({ from, to }) => engines.includes(to) && !mayName.includes(from) && folderOf(from) !== folderOf(to),
  )
  assert.deepEqual(wrong, [], 'use the port, store/store.ts or bus/bus.ts')
})

test('relative imports end in .ts', () => {
  assert.deepEqual(
    imports.filter(({ to }) => !to.endsWith('.ts')),
    [],
  )
})

test('no file has more than 400 lines', () => {
  const long = sources.filter((file) => read(file).split('\n').length > 401)
  assert.deepEqual(long, [], 'find the second thing in it and give it a file of its own')
})

test('only clock.ts asks what time it is', () => {
  const asks = sources.filter((file) => /Date\.now\b|new Date\(\)|setInterval\(/.test(read(file)))
  // bootstrap.ts runs in a function's own process, where no clock could be handed in.
  const mayAsk = ['src/processor/bootstrap.ts', 'src/runtime/clock.ts']
  assert.deepEqual(asks, mayAsk, 'take a Clock, or a time, as an argument')
})

test('every operation has a file of its own, named as AWS names it', () => {
  const files = sources.filter((file) => /\/[A-Z]\w+\.ts$/.test(file))
  assert.ok(files.length > 0)
  for (const file of files) {
    const name = file.split('/').at(-1)?.slice(0, -3)
    assert.match(read(file), new RegExp(`export const ${name} = operation\\(\\{\\n  name: '${name}',`), file)
    assert.match(read('src/api/index.ts'), new RegExp(`^  ${name},$`, 'm'), `${name} is not in src/api/index.ts`)
  }
})

test('an operation asks once what time it is', () => {
  const operations = sources.filter((file) => /^src\/api\/.*\/[A-Z]\w+\.ts$/.test(file))
  assert.ok(operations.length > 0)
  const often = operations.filter((file) => (read(file).match(/\bnow\(\)/g) ?? []).length > 1)
  assert.deepEqual(often, [], 'all that one call does has the same time: ask once, and pass it on')
})

test('names say what a thing is', () => {
  const vague = sources.filter((file) => /(manager|service|handler|helper|util|base|impl)s?\.ts$/i.test(file))
  assert.deepEqual(vague, [])
})
