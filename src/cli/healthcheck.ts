import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { adminHasTls, type Config, readConfig } from '../config.ts'
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
function adminUrl(config: Config): string {
  const { adminHost, adminPort, isAdminPortGiven, dataDir } = config
  if (isAdminPortGiven && adminPort) return localUrl(adminHasTls(config) ? 'https' : 'http', adminHost, adminPort)
  const file = join(resolve(dataDir), endpointFile)
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch {
    throw new Error(`not ready: no server runs in ${resolve(dataDir)}; set --data-dir or --admin-port`)
  }
  const { admin } = JSON.parse(content) as { admin?: string }
  if (admin === undefined) throw new Error('the server has no admin port: start it without --admin-port off')
  return admin
}

/** The problem, or undefined if the server is ready. */
async function problemAt(url: string): Promise<string | undefined> {
  try {
    const { status, body } = await get(url)
    return status === 200 ? undefined : problemsOf(body)
  } catch (error) {
    const { name, message } = error as Error
    if (name === 'TimeoutError') return `${url} did not respond within ${waitMsMax / 1000} s`
    return `${url} does not respond: ${message}`
  }
}

/** The certificate is not verified: the names of this machine need not be in it, and nothing secret is sent or believed. */
function get(url: string): Promise<{ status: number; body: string }> {
  const { request } = url.startsWith('https:') ? https : http
  return new Promise((resolve, reject) => {
    const options = { agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(waitMsMax) }
    const sent = request(url, options, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    sent.on('error', (error) => reject(error.name === 'AbortError' ? error.cause : error))
    sent.end()
  })
}

function problemsOf(text: string): string {
  const { checks = {} } = JSON.parse(text) as { checks?: Record<string, string> }
  const problems = Object.entries(checks).filter(([, result]) => result !== 'ok')
  return problems.map(([name, result]) => `${name}: ${result}`).join('; ')
}
