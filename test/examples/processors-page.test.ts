import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { RecordingLog, writeFiles } from '../processor/functions.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'

/* What docs/processors.md shows and says, tried. The Python processor and the ways to call AWS have files of their own. */
const page = await readFile(join(import.meta.dirname, '../../docs/processors.md'), 'utf8')
const [, shout = ''] = /`functions\/shout\.mjs`:\n\n```js\n(.*?)```/s.exec(page) ?? []

const root = join(import.meta.dirname, '../..')
const source = globSync('src/**/*.ts', { cwd: root })
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n')

const folder = await mkdtemp(join(tmpdir(), 'carillon-processors-page-'))
after(() => rm(folder, { recursive: true, force: true }))
await writeFiles(folder, {
  'shout.mjs': shout,
  'types.ts': shout
    .replace('CallbackId, ChannelMessage }', 'CallbackId, ChannelMessage }: Record<string, any>')
    .replace("'@aws", "/* types are stripped */ '@aws"),
  'enumerates.ts': `enum Verdict { Allow, Deny }\n${shout}`,
  'properties.ts': `class Rule { constructor(private name: string) {} }\n${shout}`,
})
const log = new RecordingLog()
const server = await startTestServer({ flags: ['--functions', folder], log })

suite('docs/processors.md', () => {
  for (const name of ['shout', 'types']) {
    test(`${name}: the processor in ten lines changes a message`, async () => {
      const people = await populate(server)
      await people.attachFlow([name])
      const session = await server.session(people.owner)
      await people.send({ Content: 'hello', Metadata: '{"colour":"blue"}' })
      const { Content, Metadata } = (await session.next()).payload as { Content: string; Metadata: string }
      assert.deepEqual([Content, Metadata], ['HELLO', '{"colour":"blue"}'])
    })
  }

  test('quotes the log as it is', () => {
    const [, table = ''] = page.split('\n| Line | When |\n|---|---|\n')
    const lines = [...table.split('\n\n')[0]!.matchAll(/^\| `([^`]*)`/gm)].map(([, line = '']) => line)
    assert.ok(lines.length > 3)
    const missing = lines.filter((line) => !source.includes(`'${line}'`))
    assert.deepEqual(missing, [], 'no line of src/ reads so')
  })

  for (const [name, construct] of [
    ['enumerates', 'enum'],
    ['properties', 'parameter property'],
  ] as const) {
    test(`TypeScript is stripped, not compiled: no ${construct}`, async () => {
      const people = await populate(server)
      await people.attachFlow([name])
      const { MessageId } = await people.send()
      await log.waitFor(`TypeScript ${construct} is not supported in strip-only mode`)
      assert.equal(await people.status(MessageId), 'PENDING')
    })
  }
})
