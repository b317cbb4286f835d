import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { readConfig } from '../src/config.ts'

/*
 * What a linter cannot see of the container files: whether they fit the project. `npm run check:containers` lints them.
 */
const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const dockerfile = read('Dockerfile').replaceAll(/\\\n\s*/g, '')

suite('the Dockerfile', () => {
  test('sets what the server understands', () => {
    const [, text = ''] = /^ENV (.*)$/m.exec(dockerfile) ?? []
    const environment = Object.fromEntries(text.split(/\s+/).map((pair) => pair.split('=')))
    assert.ok(Object.keys(environment).length > 3)
    const { config, warnings } = readConfig([], environment, () => '')
    assert.deepEqual(warnings, [])
    assert.deepEqual([config.dataDir, config.host, config.adminHost], ['/data', '0.0.0.0', '127.0.0.1'])
  })

  test('copies what there is, and what .dockerignore lets through', () => {
    const kept = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, names = '']) => names.split(' '))
    assert.ok(copied.length > 5)
    for (const name of copied) {
      assert.ok(existsSync(join(root, name)), `there is no ${name}`)
      assert.ok(kept.includes(name), `.dockerignore leaves ${name} out`)
    }
    assert.deepEqual(
      kept.filter((name) => !copied.includes(name)),
      [],
    )
  })

  test('runs as a user who may not do everything, and is asked by our own command', () => {
    const stage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
    assert.match(stage, /^USER node$/m)
    assert.match(stage, /^HEALTHCHECK .*CMD \["carillon", "healthcheck"\]$/m)
    assert.match(stage, /^ENTRYPOINT \["carillon"\]$/m)
  })
})

for (const file of ['compose.yaml', 'compose.cluster.yaml']) {
  suite(file, () => {
    const text = read(file)

    test('mounts what there is, and nothing that a container could change', () => {
      const mounts = [...text.matchAll(/^\s+- \.\/([^:]+):(\S+)$/gm)]
      assert.ok(mounts.length > 0)
      for (const [, path = '', place = ''] of mounts) {
        assert.ok(existsSync(join(root, path)), `there is no ${path}`)
        assert.match(place, /:ro$/)
      }
    })

    test('gives Carillon no right and no place to write but its data', () => {
      for (const rule of ['read_only: true', 'cap_drop:', '- ALL', 'no-new-privileges:true'])
        assert.ok(text.includes(rule))
    })

    test('has no secret in it', () => {
      assert.doesNotMatch(text, /(PASSWORD|SECRET|TOKEN|_URL)\w*: (?!\/run\/secrets\/)/)
      const asked = [...text.matchAll(/\/run\/secrets\/(\w+)/g)].map(([, name = '']) => name)
      const [, declared = ''] = /^secrets:\n(.*)/ms.exec(text) ?? []
      for (const name of asked) assert.match(declared, new RegExp(`^ {2}${name}:$`, 'm'))
    })
  })
}

test('the balancer asks the port on which the nodes of compose.cluster.yaml answer', () => {
  const [, port] = /CARILLON_ADMIN_PORT=(\d+)/.exec(dockerfile) ?? []
  const nodes = [...read('compose.cluster.yaml').matchAll(/^ {2}(node-\d+):$/gm)].map(([, name]) => name)
  const servers = [...read('docs/proxy/cluster-haproxy.cfg').matchAll(/^ {2}server (\S+) (\S+):8080 port (\d+) /gm)]
  assert.deepEqual(
    servers.map((server) => server.slice(1)),
    nodes.map((name) => [name, name, port]),
  )
  assert.ok(nodes.length > 1)
})
