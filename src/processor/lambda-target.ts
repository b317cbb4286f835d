import type { Credentials } from '../keys/key.ts'
import type { Clock } from '../runtime/clock.ts'
import { signRequest } from '../signature/sign-request.ts'
import { EndpointHealth } from './endpoint-health.ts'
import { HttpOrigin, type Outcome } from './http-origin.ts'
import type { ProcessorEvent } from './processor-event.ts'
import type { HandOff, ProcessorTarget } from './target.ts'

export interface LambdaTargetOptions {
  /** `http://host[:port]` or `https://host[:port]`: CARILLON_LAMBDA_ENDPOINT. */
  endpoint: string
  /** The name of a function at the endpoint: CARILLON_LAMBDA_FUNCTION_NAME. */
  functionName: string
  /** Calls at once, of all functions together: CARILLON_LAMBDA_CONCURRENCY. */
  concurrency: number
  region: string
  credentials: Credentials
  clock: Clock
}

/** This fraction of the places is reserved for functions that use less than it: a slow function cannot take all places. */
const reservedPart = 1 / 8

type InvocationType = 'Event' | 'RequestResponse'

/**
 * Processors behind any endpoint with Lambda's Invoke operation (AWS's reference, "Invoke"): AWS, LocalStack, SAM,
 * serverless-offline, the Runtime Interface Emulator.
 *
 *   202; 200 of emulators that run the function first     accepted
 *   200 with X-Amz-Function-Error                         crashed
 *   501, which older SAM responds to an Event             the same again as a RequestResponse
 *   403, 404                                              unreached for good
 *   429, 502, 503, 504, no connection                     deferred if it worked a moment ago, else unreached
 *   any other status, TLS that fails, no HTTP             unreached
 *   a connection cut over the request                     crashed, since the function may have run; tried again soon
 *   no response for longer than any function may take     crashed
 *   a shortage of this server                             deferred
 *
 * An event counts as handed over after the response, not after the request: a 404 may still arrive, and must run the
 * FallbackAction. Until then the step stays in flight, for any time that an emulator takes, and its verdict counts.
 */
export function createLambdaTarget(options: LambdaTargetOptions): ProcessorTarget {
  return new LambdaTarget(options)
}

class LambdaTarget implements ProcessorTarget {
  #inFlight = 0
  readonly #inFlightOf = new Map<string, number>()
  #options: LambdaTargetOptions
  #origin: HttpOrigin
  #health: EndpointHealth
  #freePlaceListeners: (() => void)[] = []

  constructor(options: LambdaTargetOptions) {
    this.#options = options
    this.#origin = new HttpOrigin(options.endpoint, options.clock)
    this.#health = new EndpointHealth(options.clock.now)
  }

  async invoke(functionName: string, functionArn: string, event: ProcessorEvent, onHandedOver: () => void) {
    if (this.#free === 0) return noPlace(this.#options)
    this.#count(functionName, 1)
    const handOff = await this.#handOff(functionName, functionArn, JSON.stringify(event))
    this.#count(functionName, -1)
    if (handOff.result === 'accepted' || handOff.result === 'crashed') onHandedOver()
    // The place is one for all functions: others may wait for it, of which some may take a reserved one.
    if ([1, this.#reserved + 1].includes(this.#free)) for (const listener of this.#freePlaceListeners) listener()
    return handOff
  }

  freePlaces(functionName: string): number {
    const reservedForIt = Math.min(this.#free, this.#reserved - (this.#inFlightOf.get(functionName) ?? 0))
    return Math.max(0, reservedForIt, this.#free - this.#reserved)
  }

  onFreePlace(listener: () => void): void {
    this.#freePlaceListeners.push(listener)
  }

  close(): Promise<void> {
    return this.#origin.close()
  }

  get #free(): number {
    return Math.max(0, this.#options.concurrency - this.#inFlight)
  }

  get #reserved(): number {
    return Math.floor(this.#options.concurrency * reservedPart)
  }

  #count(functionName: string, calls: number): void {
    this.#inFlight += calls
    const inFlight = (this.#inFlightOf.get(functionName) ?? 0) + calls
    if (inFlight > 0) this.#inFlightOf.set(functionName, inFlight)
    else this.#inFlightOf.delete(functionName)
  }

  async #handOff(functionName: string, functionArn: string, body: string): Promise<HandOff> {
    const named = nameAtEndpoint(this.#options.functionName, functionName, functionArn)
    const target = invocationTarget(named, functionArn)
    const first = await this.#post(target, 'Event', body)
    const isEventUnknown = first.outcome === 'answered' && first.status === 501
    const outcome = isEventUnknown ? await this.#post(target, 'RequestResponse', body) : first
    const handOff = handOffOf(outcome, `${this.#options.endpoint} for function ${named}`)
    const isWorking = this.#health.observe(functionName, outcome)
    return handOff.result === 'unreached' && isWorking
      ? { ...handOff, result: 'deferred', cause: 'throttled' }
      : handOff
  }

  #post(target: string, invocationType: InvocationType, body: string): Promise<Outcome> {
    const { credentials, region, clock } = this.#options
    const headers = {
      host: this.#origin.host,
      'content-type': 'application/octet-stream',
      'x-amz-invocation-type': invocationType,
    }
    const call = { method: 'POST', target, headers, body }
    return this.#origin.post(target, signRequest(call, credentials, { region, service: 'lambda' }, clock.now()), body)
  }
}

/** The template with `{name}` and `{arn}` filled in; the ARN without its version or alias, which goes into the query. */
function nameAtEndpoint(template: string, functionName: string, functionArn: string): string {
  const arn = functionArn.split(':').slice(0, 7).join(':')
  return template.replaceAll('{name}', functionName).replaceAll('{arn}', arn)
}

/** The flow engine never asks for more than there are free places. */
const noPlace = ({ endpoint, concurrency }: LambdaTargetOptions): HandOff => ({
  result: 'deferred',
  reason: `${endpoint}: all ${concurrency} places are taken`,
  cause: 'throttled',
})

/** Path and query of Invoke. */
function invocationTarget(named: string, functionArn: string): string {
  const qualifier = functionArn.split(':')[7]
  const query = qualifier === undefined ? '' : `?Qualifier=${encodeURIComponent(qualifier)}`
  return `/2015-03-31/functions/${encodeURIComponent(named)}/invocations${query}`
}

/** Statuses that a retry cannot change, and the setting that may. */
const remedies: Record<number, string> = {
  403: 'check CARILLON_LAMBDA_ACCESS_KEY_ID and CARILLON_LAMBDA_REGION',
  404: 'CARILLON_LAMBDA_FUNCTION_NAME says what the endpoint calls a function',
}

function handOffOf(outcome: Outcome, callee: string): HandOff {
  if (outcome.outcome !== 'answered') return withoutAnswer(outcome, `${callee}: ${outcome.reason}`)
  const { status, headers } = outcome
  if (status < 200 || status > 299) return rejection(callee, status, firstWord(headers['x-amzn-errortype']))
  const functionError = headers['x-amz-function-error']
  if (functionError === undefined) return { result: 'accepted' }
  return { result: 'crashed', reason: `${callee}: the function failed: ${firstWord(functionError)}` }
}

function withoutAnswer(outcome: Exclude<Outcome, { outcome: 'answered' }>, reason: string): HandOff {
  switch (outcome.outcome) {
    case 'own':
      return { result: 'deferred', reason, cause: outcome.cause }
    case 'unreached':
      return { result: 'unreached', reason, permanent: false }
    case 'cut':
      return {
        result: 'crashed',
        reason: `${reason}; the function may have run`,
        ...(!outcome.timedOut && { retrySoon: true }),
      }
  }
}

function rejection(callee: string, status: number, errorType: string): HandOff {
  const remedy = remedies[status]
  const said = [`${callee}: answered ${status}`, errorType].filter(Boolean).join(' ')
  return { result: 'unreached', reason: remedy ? `${said}; ${remedy}` : said, permanent: remedy !== undefined }
}

/** The class of an exception, without the text that may follow it in the header. */
const firstWord = (header: unknown): string => /^\w{1,64}/.exec(String(header ?? ''))?.[0] ?? ''
