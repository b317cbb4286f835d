import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { readConfig } from '../src/config.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const compose = read('compose.cluster.yaml')

/** The variables of the block that follows this line, which stands at the depth of two blanks. */
function environmentBelow(head: string): Record<string, string> {
  const [, block = ''] =
    new RegExp(`^${head}\\n(?:(?: .*)?\\n)*? {2}environment:\\n((?: {4}.*\\n)+)`, 'm').exec(compose) ?? []
  const lines = block.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^ {4}(\w+): (.*)$/.exec(line) ?? assert.fail(`not a variable: ${line}`)
      return [name, value!.replace(/^'(.*)'$/, '$1')]
    }),
  )
}

/** What the image sets by itself. */
function environmentOfImage(): Record<string, string> {
  const [, text = ''] = /^ENV (.*)$/m.exec(read('Dockerfile').replaceAll(/\\\n\s*/g, '')) ?? []
  return Object.fromEntries(text.split(/\s+/).map((pair) => pair.split('=')))
}

const secrets: Record<string, string> = {
  '/run/secrets/database_url': 'postgres://carillon:made-up@postgres:5432/carillon\n',
  '/run/secrets/nats_url': 'nats://carillon:made-up@nats:4222\n',
}
const readSecret = (path: string) => secrets[path] ?? assert.fail(`${path} is no secret of these nodes`)
const withPublicHost = (text: string) => text.replace(/\$\{CARILLON_PUBLIC_HOST:\?[^}]+\}/, 'chat.example.com')

suite('a node of compose.cluster.yaml', () => {
  const own = environmentBelow('x-node: &node')
  const environment = Object.fromEntries(Object.entries(own).map(([name, value]) => [name, withPublicHost(value)]))

  test('is given what the server understands, on top of what the image sets', () => {
    assert.ok(Object.keys(environment).length > 3, 'the block was found')
    assert.ok(
      Object.values(environment).every((value) => !value.includes('$')),
      'nothing is left to fill in',
    )
    const { config, warnings } = readConfig([], { ...environmentOfImage(), ...environment }, readSecret)
    assert.deepEqual(warnings, [])
    const { databaseUrl, nats, tls, publicHost, host, adminHost, adminPort, dataDir, functions } = config
    assert.deepEqual([tls, publicHost, host, dataDir], [false, 'chat.example.com', '0.0.0.0', '/data'])
    assert.equal(databaseUrl, secrets['/run/secrets/database_url']!.trim())
    assert.deepEqual(nats, { servers: [secrets['/run/secrets/nats_url']!.trim()] })
    assert.equal(adminHost, '0.0.0.0', 'the balancer asks from another container')
    assert.ok(adminPort, 'there is something to ask')
    assert.match(compose, new RegExp(`^ {4}- \\./examples/processors:${functions}:ro$`, 'm'))
    assert.match(compose, new RegExp(`^ {4}- ${dataDir}:uid=`, 'm'))
  })

  test('is given the secrets that it reads, and no setting twice', () => {
    const [, names = ''] = /^ {2}secrets:\n((?: {4}- \w+\n)+)name:/m.exec(compose) ?? []
    const mounted = [...names.matchAll(/- (\w+)/g)].map(([, name]) => `/run/secrets/${name}`)
    assert.deepEqual(mounted.toSorted(), Object.keys(secrets).toSorted())
    for (const name of Object.keys(environment)) {
      const other = name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : `${name}_FILE`
      assert.ok(!(other in { ...environmentOfImage(), ...environment }), `${name} and ${other}`)
    }
  })

  test('is like all others: they differ in nothing but their names', () => {
    const nodes = [...compose.matchAll(/^ {2}node-\d+:\n((?: {4}.*\n)+)/gm)].map(([, body]) => body)
    assert.ok(nodes.length > 1)
    for (const body of nodes) assert.equal(body, '    <<: *node\n')
  })

  test('is not started without the name that clients call', () => {
    assert.match(own.CARILLON_PUBLIC_HOST ?? '', /^\$\{CARILLON_PUBLIC_HOST:\?.+\}$/)
    const { CARILLON_PUBLIC_HOST: _, ...without } = environment
    const { warnings } = readConfig([], { ...environmentOfImage(), ...without }, readSecret)
    assert.match(warnings.join('\n'), /without CARILLON_PUBLIC_HOST clients open messaging sessions at/)
  })
})
