import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { Background, freePort } from './background.ts'
import { installPackages } from './packages.ts'
import type { Peer } from './peer.ts'

/** BullMQ on a Redis that syncs its log at every write: then a job that was added survives a crash. */
export const bullmq: Peer = {
  name: 'BullMQ',
  front: new URL('bullmq-front.ts', import.meta.url),

  install(scratch) {
    if (spawnSync('redis-server', ['--version']).status !== 0) {
      throw new Error('redis-server is not installed: apt-get install redis-server')
    }
    return installPackages(scratch, ['bullmq', 'ioredis'])
  },

  async start(packages, folder, janitor) {
    const port = await freePort()
    const settings = { port, bind: '127.0.0.1', dir: folder, appendonly: 'yes', appendfsync: 'always', save: '' }
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`])
    const redis = new Background('redis-server', args, {}, janitor)
    await redis.ready(() => accepts(port))
    return { pid: redis.pid, input: { packages, port }, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() }
  },
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
