import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { releaseVariable, type WireRelease } from '../bus/nats-wire.ts'
import { type Config, readConfig } from '../config.ts'
import { FollowingClock, systemClock } from '../runtime/clock.ts'
import { createLog, type Log } from '../runtime/log.ts'
import type { RunningServer } from '../server.ts'
import { whenNpmEnds } from './npm-parent.ts'
import { closesInTime, stopMsMax, stopSignal } from './shutdown.ts'
import { startMessage } from './start-message.ts'

/** The exit code of shells for SIGINT. */
const interrupted = 130
/**
 * The data on disk is gone, overwritten or damaged. Supervisors must not restart the server: it would start with an
 * empty database and new keys where an operator expects the old ones, or damage a file further.
 */
export const dataLost = 3

/** `carillon serve`: runs a server until SIGTERM or SIGINT. */
export async function serve(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { config, warnings } = readConfig(args, environment, (path) => readFileSync(path, 'utf8'))
  const log = await createLog(config.logLevel, config.logFormat)
  for (const warning of warnings) log.warn({}, warning)
  // Before the start, because a program that reads endpoint.json may send a signal at once.
  const stop = stopReason(environment)
  const server = await Promise.race([start(config, log, environment[releaseVariable] as WireRelease | undefined), stop])
  if (typeof server === 'string') {
    log.info({ signal: server }, 'stopped while starting')
    return 0
  }
  if (!existsSync(server.functions)) log.warn({ functions: server.functions }, 'the functions folder is not there')
  const link = process.stdout.isTTY ? await server.consoleLink() : undefined
  if (link) server.prepareConsole()
  process.stdout.write(startMessage({ ...server, link }))
  const reason = await Promise.race([stop, server.failed])
  if (reason instanceof Error) log.error({ reason: reason.message }, 'stopping: the server cannot go on')
  else log.info({ signal: reason }, 'stopping')
  const isInTime = await closesInTime(() => server.close(), systemClock)
  if (!isInTime) console.error(`carillon did not stop within ${stopMsMax / 1000} s and was ended`)
  if (reason instanceof Error) {
    console.error(`carillon: ${reason.message}`)
    return dataLost
  }
  return isInTime ? 0 : 1
}

/** The signal, or the end of npm, that asks the server to stop. */
function stopReason(environment: NodeJS.ProcessEnv): Promise<string> {
  const { promise: npmEnded, resolve } = Promise.withResolvers<string>()
  whenNpmEnds(environment, systemClock, () => resolve('npm ended'))
  return Promise.race([stopSignal(process, systemClock, () => process.exit(interrupted)), npmEnded])
}

async function start(config: Config, log: Log, wireRelease: WireRelease | undefined): Promise<RunningServer> {
  // Loaded late, so that a mistyped setting is reported at once.
  const { startServer } = await import('../server.ts')
  try {
    // Nodes that share a database use its time.
    const clock = config.databaseUrl === undefined ? systemClock : new FollowingClock(systemClock)
    return await startServer(config, { clock, log, newId: randomUUID, random: Math.random, wireRelease })
  } catch (error) {
    log.debug({ err: error }, 'the start failed')
    throw new Error(startFailure(error as ListenError, config))
  }
}

/** Node throws this if it cannot listen. */
type ListenError = NodeJS.ErrnoException & { port?: number; address?: string; hostname?: string }

/** One line for an operator: what failed and what to change. */
export function startFailure({ code, syscall, port, address, hostname, message }: ListenError, config: Config): string {
  // Node's error does not name the port if that was 0.
  const isAdmin =
    config.adminPort !== undefined && (port ? port === config.adminPort : (hostname ?? address) !== config.host)
  const host = isAdmin ? config.adminHost : config.host
  const hostFlag = isAdmin ? '--admin-host' : '--host'
  const portFlag = isAdmin ? '--admin-port' : port === config.httpPort ? '--http-port' : '--https-port'
  if (syscall === 'getaddrinfo') return `the host name ${host} cannot be resolved: change ${hostFlag}`
  if (syscall !== 'listen') return message
  if (code === 'EADDRINUSE') return `port ${port} of ${host} is in use: change ${portFlag}; 0 picks a free one`
  if (code === 'EACCES') return `this user may not listen on port ${port}: set ${portFlag} to a port above 1023`
  if (code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine: change ${hostFlag}`
  return message
}
