import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createFunctionTarget } from '../../src/processor/function-target.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { type Files, functionArn, processorEvent, RecordingLog, writeFiles } from './functions.ts'

const root = join(import.meta.dirname, '../..')
const bundle = (name: string) => readFile(join(import.meta.dirname, 'bundles', name), 'utf8')

export const commonJs = "exports.handler = async (event) => console.log('saw', event.ChannelMessage.MessageId)"
const esModule = "export const handler = async (event) => console.log('saw', event.ChannelMessage.MessageId)"
const typedCommonJs = commonJs.replace('(event)', '(event: any): Promise<void>')
const typedEsModule = esModule.replace('(event)', '(event: { ChannelMessage: { MessageId: string } })')

/** In the middle of all functions, below the functions folder. */
const neighbours: Files = {
  'lib/list.json': '["darn"]',
  'lib/common.js': "exports.words = require('./list.json'); exports.isCommonJs = typeof module === 'object'",
  'lib/module.js': "import { words } from './common.js'; export { words }; export const isModule = typeof module",
  'lib/typed.ts': 'interface Word { text: string }\nexport const word: Word = { text: "darn" }',
  'lib/typed-common.ts': 'const text: string = "darn"\nmodule.exports = { text }',
}

/** Each is a function that prints `saw` and the message's id. */
const forms: Record<string, Files> = {
  'NAME.js, CommonJS': { 'a.js': commonJs },
  'NAME.js, ES module': { 'b.js': esModule },
  'NAME/index.js, CommonJS': { 'c/index.js': commonJs },
  'NAME/index.js, ES module': { 'd/index.js': esModule },
  'a handler of function.json, CommonJS': {
    'e/function.json': '{"handler":"src/app.handler"}',
    'e/src/app.js': commonJs,
  },
  'a handler of function.json, ES module': {
    'f/function.json': '{"handler":"src/app.handler"}',
    'f/src/app.js': esModule,
  },
  'NAME.ts, CommonJS': { 'g.ts': typedCommonJs },
  'NAME.ts, ES module': { 'h.ts': typedEsModule },
  'NAME/index.ts, CommonJS': { 'i/index.ts': `const { text } = require('../lib/typed-common.ts')\n${typedCommonJs}` },
  'NAME/index.ts, ES module': { 'j/index.ts': `import { word } from '../lib/typed.ts'\n${typedEsModule}` },
  'NAME.cjs with its neighbours': {
    'k.cjs': `const { words, isCommonJs } = require('./lib/common')
      if (words[0] !== 'darn' || !isCommonJs) throw new Error('lib/common.js is not CommonJS')
      if (require('./lib/module.js').words !== words) throw new Error('lib/common.js was run twice')
      ${commonJs}`,
  },
  'NAME.mjs with its neighbours': {
    'l.mjs': `import common, { words } from './lib/common.js'
      import { isModule } from './lib/module.js'
      import { text } from './lib/typed-common.ts'
      if (common.words !== words || isModule !== 'undefined' || text !== 'darn') throw new Error('not as it should be')
      ${esModule}`,
  },
  'NAME.js, CommonJS, with a top-level import()': {
    'm.js': `const loading = import('./lib/module.js')\nexports.handler = async (event) => {
      if ((await loading).words[0] === 'darn') console.log('saw', event.ChannelMessage.MessageId) }`,
  },
  'NAME.js, ES module, with a top-level await': { 'n.js': `await Promise.resolve()\n${esModule}` },
  'NAME.js, CommonJS, after a line for the shell': { 'w.js': `#!/usr/bin/env node\n${commonJs}` },
  'NAME.js, ES module, after a byte order mark': { 'x.js': `\ufeff${esModule}` },
  'a package.json that says commonjs': { 'o/index.js': commonJs, 'o/package.json': '{ "type": "commonjs" }' },
  'a package.json that says module': { 'p/index.js': esModule, 'p/package.json': '{ "type": "module" }' },
  'a package.json that says nothing, CommonJS': { 'q/index.js': commonJs, 'q/package.json': '{ "name": "q" }' },
  'a package.json that says nothing, ES module': { 'r/index.js': esModule, 'r/package.json': '{ "name": "r" }' },
  "esbuild's bundle, CommonJS, as CDK makes it": { 's/index.js': await bundle('cjs.js') },
  "esbuild's bundle, CommonJS, minified": { 't/index.js': await bundle('cjs.min.js') },
  "esbuild's bundle, ES module": { 'u/index.js': await bundle('esm.js') },
  "esbuild's bundle, ES module, minified": { 'v/index.js': await bundle('esm.min.js') },
}

interface Surrounding {
  /** Files around the functions folder, and which folder that is. */
  files: Files
  functions: string
  /** Where a built server is: its own code runs then. */
  server?: string
}

export const packageJson = (type: string) => JSON.stringify({ type })
export const surroundings = {
  'in a project that says module': { files: { 'package.json': packageJson('module') }, functions: 'functions' },
  'in a project that says commonjs': { files: { 'package.json': packageJson('commonjs') }, functions: 'functions' },
  'in a project that has the server as a package': {
    files: { 'package.json': packageJson('commonjs') },
    functions: 'functions',
    server: 'node_modules/carillon',
  },
  'in the folder of the container': { files: {}, functions: 'app/functions', server: 'app' },
} satisfies Record<string, Surrounding>

const environment = () => ({
  region: 'eu-central-1',
  accessKeyId: 'AKIDFUNCTION',
  secretAccessKey: 'function-secret',
  sessionToken: 'token',
  messagingEndpoint: 'http://127.0.0.1:4001',
  identityEndpoint: 'http://127.0.0.1:4002',
})
const nameOf = (files: Files) => Object.keys(files)[0]?.split(/[./]/)[0] as string

/** As the package and the image have it: emitted JavaScript below a package.json that says module, and the SDK. */
async function install(server: string): Promise<typeof createFunctionTarget> {
  await mkdir(join(server, 'node_modules'), { recursive: true })
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')]
  await promisify(execFile)(process.execPath, [...tsc, '--outDir', join(server, 'dist')])
  await writeFiles(server, { 'package.json': packageJson('module') })
  await symlink(join(root, 'node_modules/@aws-sdk'), join(server, 'node_modules/@aws-sdk'))
  const file = join(server, 'dist/processor/function-target.js')
  return (await import(pathToFileURL(file).href)).createFunctionTarget
}

/** All forms in one functions folder of a project, and the target over it. */
async function surround(project: string, { files, functions, server }: Surrounding) {
  await writeFiles(project, files)
  await writeFiles(join(project, functions), Object.assign({}, neighbours, ...Object.values(forms)))
  const create = server === undefined ? createFunctionTarget : await install(join(project, server))
  const log = new RecordingLog()
  const parts = { processesMax: 32, environment, clock: systemClock, log, newId: randomUUID }
  return { log, target: create({ folder: join(project, functions), ...parts }) }
}

/** One test for each form of a function. Each is a process. */
export function describeForms(where: keyof typeof surroundings): void {
  describe(`a function runs as it is, ${where}`, { concurrency: 2 }, () => {
    let project: string
    let stage: Awaited<ReturnType<typeof surround>>
    before(async () => {
      project = await mkdtemp(join(tmpdir(), 'function-modules-'))
      stage = await surround(project, surroundings[where])
    })
    after(async () => {
      await stage?.target.close()
      await rm(project, { recursive: true, force: true })
    })

    for (const [form, files] of Object.entries(forms)) {
      test(form, async () => {
        const name = nameOf(files)
        const outcome = await stage.target.invoke(name, functionArn(name), processorEvent(`m-${name}`), () => {})
        const printed = stage.log.lines.filter((line) => line.fields.functionName === name && line.level !== 'debug')
        assert.deepEqual(outcome, { result: 'completed' }, printed.map((line) => line.text).join('\n'))
        assert.equal(printed.length, 1)
        assert.match(printed[0]?.text ?? '', new RegExp(`^saw m-${name}\\b`))
      })
    }
  })
}
