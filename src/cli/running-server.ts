import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readConfig } from '../config.ts'
import { systemClock } from '../runtime/clock.ts'
import { endpointFile } from '../runtime/data-folder.ts'
import type { Endpoint } from '../runtime/endpoint-files.ts'
import { signRequest } from '../signature/sign-request.ts'

/** Time limit of one call. */
const callMsMax = 30_000
/** The maximum of a page, as the server has it. */
const pageSize = '50'

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
    const { http, region } = readEndpoint(folder)
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

  /** The items of all pages of a list, until there are this many. */
  async list<Output extends Page, Item>(
    path: string,
    query: Record<string, string | undefined>,
    itemsOf: (page: Output) => Item[],
    itemsMax: number,
  ): Promise<Item[]> {
    const items: Item[] = []
    let token: string | undefined
    do {
      const search = new URLSearchParams({ 'max-results': pageSize })
      for (const [name, value] of Object.entries({ ...query, 'next-token': token })) if (value) search.set(name, value)
      const page: Output = await this.call('GET', `${path}?${search}`)
      items.push(...itemsOf(page))
      token = page.NextToken
    } while (token !== undefined && items.length < itemsMax)
    return items
  }
}

/** One page of a list of the server. */
export interface Page {
  NextToken?: string
}

/** The server of the data folder that these settings name. */
export function serverOf(settings: string[], environment: NodeJS.ProcessEnv): RunningServer {
  const { config } = readConfig(settings, environment, (path) => readFileSync(path, 'utf8'))
  return new RunningServer(config.dataDir)
}

/** The endpoint file of a data folder. Throws if no server runs there. */
export const readEndpoint = (folder: string): Endpoint =>
  JSON.parse(readOr(join(folder, endpointFile), folder)) as Endpoint

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
