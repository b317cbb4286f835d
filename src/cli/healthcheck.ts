import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Config, readConfig } from '../config.ts'
import { endpointFile } from '../runtime/data-folder.ts'
import { localUrl } from '../runtime/listening.ts'

/** A little more than the server gives each of its own checks. */
const waitMsMax = 3_000

/** `carillon healthcheck`: whether the server with these settings is ready. Exit code 0 if so, else 1. */
export async function healthcheck(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { config } = readConfig(args, environment, (path) => readFileSync(path, 'utf8'))
  const url = `${adminUrl(config)}/readyz`
  const problem = await problemAt(url)
  if (problem !== undefined) throw new Error(`not ready: ${problem}`)
  console.log(`ready according to ${url}`)
  return 0
}

/**
 * From the settings; else from the data folder of the server, because only that server knows a port that it has picked.
 */
function adminUrl({ adminHost, adminPort, isAdminPortGiven, dataDir }: Config): string {
  if (isAdminPortGiven && adminPort) return localUrl('http', adminHost, adminPort)
  const file = join(resolve(dataDir), endpointFile)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new Error(`not ready: no server runs in ${resolve(dataDir)}; set --data-dir or --admin-port`)
  }
  const { admin } = JSON.parse(text) as { admin?: string }
  if (admin === undefined) throw new Error('the server has no admin port: start it without --admin-port off')
  return admin
}

/** The problem, or undefined if the server is ready. */
async function problemAt(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(waitMsMax) })
    const text = await response.text()
    return response.ok ? undefined : problemsOf(text)
  } catch (error) {
    const { name, cause, message } = error as Error
    if (name === 'TimeoutError') return `${url} did not respond within ${waitMsMax / 1000} s`
    return `${url} does not respond: ${cause instanceof Error ? cause.message : message}`
  }
}

function problemsOf(text: string): string {
  const { checks = {} } = JSON.parse(text) as { checks?: Record<string, string> }
  const problems = Object.entries(checks).filter(([, result]) => result !== 'ok')
  return problems.map(([name, result]) => `${name}: ${result}`).join('; ')
}
