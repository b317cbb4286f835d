import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { unlessRequired } from '../support/required.ts'

const program = 'haproxy'
const startMsMax = 10_000

/** What to say where the cluster cannot be balanced; false where it can. */
export const withoutBalancer = unlessRequired(
  spawnSync(program, ['-v']).error ? `there is no ${program} in the PATH: apt-get install ${program}` : false,
)

interface BalancedNode {
  name: string
  port: number
  /** Where it says whether it is ready; undefined if that is not asked. */
  adminPort: number | undefined
}

/** HAProxy over the nodes, round robin, as an operator would have it: a node that is not ready is left alone. */
export async function startBalancer(folder: string, port: number, nodes: BalancedNode[]): Promise<() => Promise<void>> {
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, configuration(port, nodes))
  const child = spawn(program, ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  const killWithThisProcess = () => void child.kill('SIGKILL')
  process.once('exit', killWithThisProcess)
  await untilItListens(child, port, () => said)
  return async () => {
    process.off('exit', killWithThisProcess)
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
}

function configuration(port: number, nodes: BalancedNode[]): string {
  const server = ({ name, port, adminPort }: BalancedNode) =>
    `  server ${name} 127.0.0.1:${port}${adminPort === undefined ? '' : ` check port ${adminPort}`}`
  return `defaults
  mode http
  timeout connect 1s
  timeout client 120s
  timeout server 10s
  timeout tunnel 120s
  timeout http-request 30s
  timeout check 1s
  # A node that refuses the connection has not seen the request: the next one gets it.
  retries 2
  option redispatch 1
  http-error status 503 content-type application/json string "{\\"Code\\":\\"ServiceUnavailable\\",\\"Message\\":\\"No node is ready; try again\\"}" hdr x-amzn-ErrorType ServiceUnavailableException

frontend carillon
  bind 127.0.0.1:${port}
  default_backend nodes

backend nodes
  balance roundrobin
  option httpchk GET /readyz
  default-server inter 500 fall 2 rise 1
${nodes.map(server).join('\n')}
`
}

async function untilItListens(child: ChildProcess, port: number, said: () => string): Promise<void> {
  for (const from = Date.now(); Date.now() - from < startMsMax; await setTimeout(20)) {
    if (child.exitCode !== null) break
    const attempt = connect(port, '127.0.0.1')
    const connected = await once(attempt, 'connect').then(
      () => true,
      () => false,
    )
    attempt.destroy()
    if (connected) return
  }
  child.kill('SIGKILL')
  throw new Error(`${program} did not listen on ${port} within ${startMsMax} ms; it said: ${said()}`)
}
