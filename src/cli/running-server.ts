import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readConfig } from '../config.ts'
import { systemClock } from '../runtime/clock.ts'
import { endpointFile } from '../runtime/data-folder.ts'
import { signRequest } from '../signature/sign-request.ts'

/** Time limit of one call. */
const callMsMax = 30_000

/** A call of `/carillon/v1` that the server has rejected. */
export class CallRejected extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * The server that runs in a data folder, called with the key in the folder's aws/credentials. Decisions must pass through
 * it: only the server tells its sessions and its flow engine of them.
 */
export class RunningServer {
  readonly #url: string
  readonly #region: string
  readonly #key: { accessKeyId: string; secretAccessKey: string }

  /** Throws if no server runs there. */
  constructor(dataDir: string) {
    const folder = resolve(dataDir)
    const { http, region } = JSON.parse(readOr(join(folder, endpointFile), folder)) as { http: string; region: string }
    const credentials = readOr(join(folder, 'aws/credentials'), folder)
    const settingOf = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(credentials)?.[1] ?? ''
    this.#url = http
    this.#region = region
    this.#key = { accessKeyId: settingOf('aws_access_key_id'), secretAccessKey: settingOf('aws_secret_access_key') }
  }

  /** The output of the operation. Throws a CallRejected with the server's own words. */
  async call<Output>(method: string, target: string, input?: object): Promise<Output> {
    const body = input === undefined ? '' : JSON.stringify(input)
    const host = new URL(this.#url).host
    const headers = { host, ...(input !== undefined && { 'content-type': 'application/json' }) }
    const service = { region: this.#region, service: 'chime' }
    const signed = signRequest({ method, target, headers, body }, this.#key, service, systemClock.now())
    const response = await fetch(this.#url + target, {
      method,
      headers: signed,
      ...(input !== undefined && { body }),
      signal: AbortSignal.timeout(callMsMax),
    })
    const text = await response.text()
    if (!response.ok) throw new CallRejected(response.status, messageOf(text))
    return (text === '' ? {} : JSON.parse(text)) as Output
  }
}

/** The server of the data folder that these settings name. */
export function serverOf(settings: string[], environment: NodeJS.ProcessEnv): RunningServer {
  const { config } = readConfig(settings, environment, (path) => readFileSync(path, 'utf8'))
  return new RunningServer(config.dataDir)
}

function readOr(file: string, folder: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new Error(`no server runs in ${folder}: start it, or set --data-dir`)
  }
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { Message?: string }).Message ?? text
  } catch {
    return text
  }
}
