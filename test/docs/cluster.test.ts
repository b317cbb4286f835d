import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { promisify } from 'node:util'
import { readConfig } from '../../src/config.ts'
import { withoutBalancer } from '../cluster/balancer.ts'
import { unlessRequired } from '../support/required.ts'

const docs = join(import.meta.dirname, '../../docs')
const page = readFileSync(join(docs, 'cluster.md'), 'utf8')
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
const [nodes = '', balancer = ''] = blocks

/** The assignments NAME=value in a block. */
const variablesIn = (block: string) =>
  Object.fromEntries([...block.matchAll(/\b([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]))

suite('docs/cluster.md', () => {
  test('starts two nodes with settings that the server understands', () => {
    const commands = [...nodes.matchAll(/^npx carillon serve (.*) &$/gm)].map(([, flags = '']) => flags.split(' '))
    const configs = commands.map((flags) => readConfig(flags, variablesIn(nodes), () => ''))
    assert.deepEqual(
      configs.map(({ config, warnings }) => [config.httpPort, config.adminPort, config.publicHost, warnings]),
      [
        [8081, 9081, 'localhost:9443', []],
        [8082, 9082, 'localhost:9443', []],
      ],
    )
  })

  test('makes a configuration for its nodes that HAProxy accepts', {
    skip: unlessRequired(withoutBalancer),
  }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-cluster-page-'))
    t.after(() => rm(folder, { recursive: true }))
    mkdirSync(join(folder, 'data'))
    cpSync(join(docs, 'proxy'), join(folder, 'docs/proxy'), { recursive: true })
    assert.match(balancer, /^haproxy -f data\/haproxy\.cfg$/m)
    const script = balancer.replace('haproxy -f', 'haproxy -c -f')
    await promisify(execFile)('sh', ['-e', '-c', script], { cwd: folder })
    const configuration = readFileSync(join(folder, 'data/haproxy.cfg'), 'utf8')
    assert.match(configuration, /bind 127\.0\.0\.1:9443 ssl crt data\/balancer\.pem/)
    for (const node of [1, 2]) assert.match(configuration, new RegExp(`127\\.0\\.0\\.1:808${node} port 908${node}`))
  })
})
