import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { readConfig } from '../src/config.ts'
import { systemClock } from '../src/runtime/clock.ts'
import { silentLog } from '../src/runtime/log.ts'
import { type RunningServer, startServer } from '../src/server.ts'
import { isGood, outcomesOf } from './check.ts'
import { matrixOf } from './matrix.ts'
import { plantFault } from './planted-fault.ts'
import { build, run } from './program.ts'
import { type LastRun, lastRunFile, missingFor, readLastRun, type Sdk, sdks } from './sdks.ts'
import { steps } from './steps.ts'

/*
 * `npm run conformance [-- SDK…]`: each SDK does the steps of steps.tsv against a server in a temporary folder. What it says
 * is checked against the table and against the server. `--fault NAME` plants a fault, and the run must then fail.
 */
const { values, positionals } = parseArgs({
  options: { fault: { type: 'string' } },
  allowPositionals: true,
})
const region = 'us-east-1'
/** Ends the program that runs. */
const interruption = new AbortController()

async function main(): Promise<boolean> {
  const chosen = positionals.length > 0 ? positionals : Object.keys(sdks)
  const unknown = chosen.find((key) => !sdks[key])
  if (unknown !== undefined) {
    console.error(`there is no SDK ${unknown}: they are ${Object.keys(sdks).join(', ')}`)
    return false
  }
  const folder = await mkdtemp(join(tmpdir(), 'carillon-conformance-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interruption.abort()
      void remove().finally(() => process.exit(128 + constants.signals[signal]))
    })
  }
  try {
    return await withServer(folder, (server) => runAll(chosen, server))
  } finally {
    await remove()
  }
}

async function withServer<T>(folder: string, use: (server: RunningServer) => Promise<T>): Promise<T> {
  const flags = ['--data-dir', join(folder, 'data'), '--functions', join(import.meta.dirname, 'functions')]
  const { config } = readConfig([...flags, '--http-port', '0', '--https-port', '0'], {}, () => '')
  const world = { clock: systemClock, log: silentLog, newId: randomUUID, random: Math.random }
  const server = await startServer(config, world)
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

async function runAll(chosen: string[], server: RunningServer): Promise<boolean> {
  const results: LastRun = {}
  let complete = true
  for (const key of chosen) {
    const sdk = sdks[key]!
    const missing = missingFor(sdk)
    if (missing) {
      console.error(`\n*** NOT RUN: ${sdk.name}: ${missing} ***\n`)
      complete &&= process.env.CARILLON_TEST_REQUIRE !== 'all'
      continue
    }
    results[key] = await runOne(sdk, server)
  }
  console.log(`\n${matrixOf(results)}`)
  if (!values.fault) writeFileSync(lastRunFile, `${JSON.stringify({ ...readLastRun(), ...results }, null, 2)}\n`)
  const good = Object.values(results).map(({ outcomes }) => steps.every(({ number }) => isGood(outcomes[number])))
  const passed = good.filter(Boolean).length
  console.log(`\n${passed} passed, ${good.length - passed} failed`)
  return complete && good.length > 0 && passed === good.length
}

async function runOne(sdk: Sdk, server: RunningServer): Promise<LastRun[string]> {
  console.log(`${sdk.name} …`)
  await build(sdk, interruption.signal)
  const { credentials } = server
  const endpoint = server.endpoint.http
  const clients = {
    messaging: new ChimeSDKMessaging({ endpoint, region, credentials }),
    identity: new ChimeSDKIdentity({ endpoint, region, credentials }),
  }
  const fault = values.fault === undefined ? undefined : await plantFault(values.fault, endpoint)
  try {
    const args = [fault?.url ?? endpoint, region, credentials.accessKeyId, credentials.secretAccessKey]
    const { version, lines, failure } = await run(sdk, args, interruption.signal)
    if (failure) console.error(`${sdk.name}: ${failure}`)
    const outcomes = await outcomesOf(lines, sdk, clients)
    for (const { number, name, text } of steps) {
      if (!isGood(outcomes[number])) console.log(`  ${number} ${name} (${text}): ${outcomes[number]}`)
    }
    return { version, outcomes }
  } finally {
    fault?.close()
    clients.messaging.destroy()
    clients.identity.destroy()
  }
}

process.exitCode = (await main()) ? 0 : 1
