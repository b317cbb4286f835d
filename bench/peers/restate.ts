import { join } from 'node:path'
import { Background, freePort } from './background.ts'
import { installPackages } from './packages.ts'
import type { Peer } from './peer.ts'

/** One node of Restate with two partitions, as many as the machine has processors. */
export const restate: Peer = {
  name: 'Restate',
  front: new URL('restate-front.ts', import.meta.url),

  install: (scratch) => installPackages(scratch, ['@restatedev/restate-sdk', '@restatedev/restate-server']),

  async start(packages, folder, janitor) {
    const [port, adminPort, nodePort] = [await freePort(), await freePort(), await freePort()]
    const platform = `${process.platform}-${process.arch}`
    const program = join(packages, `node_modules/@restatedev/restate-server-${platform}/bin/restate-server`)
    const settings = {
      RESTATE_BASE_DIR: folder,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${port}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${adminPort}`,
      RESTATE_BIND_ADDRESS: `127.0.0.1:${nodePort}`,
      RESTATE_DEFAULT_NUM_PARTITIONS: '2',
      RESTATE_DISABLE_TELEMETRY: 'true',
    }
    const server = new Background(program, [], settings, janitor)
    const answers = async () =>
      (await fetch(`http://127.0.0.1:${adminPort}/health`)).ok &&
      (await fetch(`http://127.0.0.1:${port}/restate/health`)).ok
    await server.ready(answers)
    return {
      pid: server.pid,
      input: { packages, port, adminPort },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
}
