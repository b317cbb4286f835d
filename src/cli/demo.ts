import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../config.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import type { RunningServer } from '../server.ts'
import { play } from './demo/play.ts'
import { printHead, printIntroduction, printResult, printRow } from './demo/print.ts'
import { scenarios, signingFunctions, silentFunction } from './demo/scenarios.ts'
import { loadSdk, type Sdk, trust } from './demo/sdk.ts'
import { clearStage, setStage } from './demo/stage.ts'
import { within } from './demo/within.ts'

const samples = fileURLToPath(new URL('../../examples/processors', import.meta.url))

/**
 * `carillon demo`: a server on free ports, in a temporary folder, and AWS's own clients that show channel
 * flows at work. Returns 0 only if every message had the expected outcome.
 */
export async function demo(args: string[]): Promise<number> {
  if (args.length > 0) throw new Error(`npx carillon demo has no arguments, but got ${JSON.stringify(args[0])}`)
  printIntroduction()
  const sdk = await loadSdk()
  const folder = await mkdtemp(join(tmpdir(), 'carillon-demo-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void remove().finally(() => process.exit(128 + constants.signals[signal])))
  }
  try {
    return await inFolder(folder, sdk)
  } finally {
    await remove()
  }
}

async function inFolder(folder: string, sdk: Sdk): Promise<number> {
  const functions = join(folder, 'functions')
  await writeFunctions(functions)
  const free = ['--http-port', '0', '--https-port', '0']
  // Loaded late, so that the introduction is visible meanwhile.
  const { startServer } = await import('../server.ts')
  const { config } = readConfig(['--data-dir', join(folder, 'data'), '--functions', functions, ...free], {}, () => '')
  const world = { clock, log: silentLog, newId: randomUUID, random: Math.random }
  const server = await within(clock, 'the start of the server', startServer(config, world))
  try {
    return await perform(server, sdk)
  } finally {
    await within(clock, 'the end of the server', server.close())
  }
}

/** The samples as they are, one of them under three names, and a function that never gives a verdict. */
async function writeFunctions(folder: string): Promise<void> {
  await cp(samples, folder, { recursive: true })
  for (const name of signingFunctions) await cp(join(samples, 'sign.mjs'), join(folder, `${name}.mjs`))
  await writeFile(join(folder, `${silentFunction}.mjs`), 'export async function handler() {}\n')
}

async function perform(server: RunningServer, sdk: Sdk): Promise<number> {
  if (server.endpoint.ca) trust(server.endpoint.ca)
  const startedAt = clock.now()
  const stage = await within(clock, 'two users with messaging sessions', setStage(server, sdk))
  printHead()
  const reports = await Promise.all(
    scenarios.map(async (scenario) => {
      const report = await play(scenario, stage, clock)
      printRow(report)
      return report
    }),
  )
  printResult(reports, clock.now() - startedAt)
  await within(clock, 'the end of the messaging sessions', clearStage(stage))
  return reports.every(({ problems }) => problems.length === 0) ? 0 : 1
}
