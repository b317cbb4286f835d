import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildFolder, type Sdk } from './sdks.ts'
import type { Line } from './steps.ts'

/** A build on a clean machine downloads and compiles everything. */
const buildMsMax = 1_200_000
/** The AWS CLI starts about 60 times, each of which is a second or more of a processor. */
const runMsMax = 600_000
const outputCharactersMax = 1_000_000

/** What a program has printed, and why it ended early if it did. */
export interface Output {
  version: string
  lines: Line[]
  failure?: string
}

/** Throws with the end of the compiler's output if the program cannot be built. */
export async function build(sdk: Sdk, signal: AbortSignal): Promise<void> {
  if (!sdk.build) return
  mkdirSync(buildFolder, { recursive: true })
  const { failure } = await execute(sdk, sdk.build, { timeout: buildMsMax, signal })
  if (failure) throw new Error(`${sdk.name} was not built: ${failure}`)
}

export async function run(sdk: Sdk, args: string[], signal: AbortSignal): Promise<Output> {
  const { stdout, failure } = await execute(sdk, [...sdk.run, ...args], { timeout: runMsMax, signal })
  const [first = {}, ...lines] = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return { version: first.version ?? 'unknown', lines, ...(failure && { failure }) }
}

async function execute(
  sdk: Sdk,
  [program, ...args]: [string, ...string[]] | string[],
  limits: { timeout: number; signal: AbortSignal },
): Promise<{ stdout: string; failure?: string }> {
  const child = spawn(program!, args, {
    cwd: join(import.meta.dirname, sdk.folder),
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...sdk.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...limits,
    killSignal: 'SIGKILL',
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    if (stdout.length < outputCharactersMax) stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = (stderr + text).slice(-outputCharactersMax)
  })
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  child.on('error', (error) => resolve(error.message))
  child.on('close', (status, signal) => {
    if (status === 0) return resolve(undefined)
    resolve(`${signal ?? `exit code ${status}`}\n${stderr.trim().split('\n').slice(-20).join('\n')}`)
  })
  const failure = await promise
  return { stdout, ...(failure !== undefined && { failure }) }
}
