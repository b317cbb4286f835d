import assert from 'node:assert/strict'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { commonJs, describeForms, packageJson } from './function-forms.ts'
import { type Files, startFunctions, writeFiles } from './functions.ts'

const completed = { result: 'completed', handedOver: 1 }

// The other surroundings are in function-modules.slow.ts.
describeForms('in a project that says module')

describe('a package.json inside the functions folder has its say', { concurrency: 2 }, () => {
  const both = `export const handler = () => console.log(typeof require)`
  const cases: Record<string, { files: Files; result: string }> = {
    'in the folder itself, module': {
      files: { 'package.json': packageJson('module'), 'a.js': both },
      result: 'completed',
    },
    'in the folder itself, module, for CommonJS': {
      files: { 'package.json': packageJson('module'), 'a/index.js': commonJs },
      result: 'crashed',
    },
    'in the folder itself, commonjs, for an ES module': {
      files: {
        'package.json': packageJson('commonjs'),
        'a/lib/app.js': both,
        'a/function.json': '{"handler":"lib/app.handler"}',
      },
      result: 'crashed',
    },
    'below a function, for that part alone': {
      files: {
        'a.js': "exports.handler = () => console.log(typeof require('./lib/index.js').isModule)",
        'lib/package.json': packageJson('module'),
        'lib/index.js': 'const exports = 1; export const isModule = exports',
      },
      result: 'completed',
    },
  }
  for (const [which, { files, result }] of Object.entries(cases)) {
    test(which, async (t) => {
      const { invoke } = await startFunctions(t, files)
      assert.equal((await invoke('a')).result, result)
    })
  }
})

test('a link into the output of a build is followed, and the project around that has no say', async (t) => {
  const { folder, invoke, log } = await startFunctions(t, {})
  const project = await mkdtemp(join(tmpdir(), 'function-modules-'))
  t.after(() => rm(project, { recursive: true }))
  const say = "exports.handler = () => console.log(require('./word.js'))"
  await writeFiles(project, {
    'package.json': packageJson('module'),
    'out/a.js': say,
    'out/word.js': "module.exports = 'a'",
  })
  await writeFiles(project, { 'out/b/index.js': say, 'out/b/word.js': "module.exports = 'b'" })
  await symlink(join(project, 'out/a.js'), join(folder, 'a.js'))
  await symlink(join(project, 'out/b'), join(folder, 'b'))
  assert.deepEqual([await invoke('a'), await invoke('b')], [completed, completed])
  assert.deepEqual(log.texts('info'), ['a', 'b'])
})

test('an error in a file is logged with the position that the file has', async (t) => {
  const thrower = "async (event) => {\n  throw new Error(event.CallbackId && 'here')\n}"
  const { invoke, log } = await startFunctions(t, {
    'common.js': `exports.handler = ${thrower}`,
    'module.js': `export const handler = ${thrower}`,
    'typed.ts': `interface Event {\n  CallbackId: string\n}\nexport const handler = ${thrower.replace('event', 'event: Event')}`,
    'typed-common.ts': `exports.handler = ${thrower.replace('(event)', '(event: { CallbackId: string })')}`,
  })
  for (const name of ['common', 'module', 'typed', 'typed-common']) await invoke(name)
  const places = log.texts('warn').map((text) => /[\w-]+\.[jt]s:\d+:\d+/.exec(text)?.[0])
  assert.deepEqual(places, ['common.js:2:9', 'module.js:2:9', 'typed.ts:5:9', 'typed-common.ts:2:9'])
})

test('TypeScript that is more than types is refused, and both the reason and the log say why', async (t) => {
  const { folder, invoke, log } = await startFunctions(t, {
    'enum.ts': 'enum Word { Darn }\nexport const handler = () => Word.Darn',
    'common.ts': 'class Word { constructor(private text: string) {} }\nexports.handler = () => new Word("darn")',
  })
  const refused = (file: string, what: string) => ({
    result: 'crashed',
    handedOver: 1,
    reason: `${join(folder, file)}: SyntaxError ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX: ${what} is not supported in strip-only mode`,
  })
  assert.deepEqual(await invoke('enum'), refused('enum.ts', 'TypeScript enum'))
  assert.deepEqual(await invoke('common'), refused('common.ts', 'TypeScript parameter property'))
  const [first = '', second = ''] = log.texts('warn')
  assert.match(first, /enum\.ts:1\n.*enum Word \{ Darn \}/s)
  assert.match(second, /common\.ts:1\n.*private text: string/s)
})
