/**
 * What a function's child process runs, as AWS's managed runtimes for Node do ("Using the Lambda runtime API for custom
 * runtimes"): loads the handler, then asks for one invocation after the other. Started as
 * `node bootstrap.ts FILE EXPORT SERVER-PID FUNCTIONS-FOLDER`. This file and its `bootstrap-` neighbours stand alone,
 * since the server's own code has no place in this process.
 */
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Channel } from './bootstrap-channel.ts'
import { lendSdk, takeFilesBySyntax } from './bootstrap-modules.ts'
import { beginLastEntry, markEntries } from './bootstrap-output.ts'
import {
  type ChannelReport,
  failureLengthMax,
  type RuntimeInvocation,
  returnedLengthMax,
  startFailedExitCode,
} from './bootstrap-terms.ts'

type LambdaCallback = (error?: unknown, result?: unknown) => void
type LambdaFunction = (event: unknown, context: LambdaContext, callback: LambdaCallback) => unknown
type LambdaContext = ReturnType<typeof contextOf>

const runtime = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/`
const agent = new Agent({ keepAlive: true })

/** This process leads a process group, which holds what the function starts as well, except on Windows. */
const ownGroup = process.platform === 'win32' ? process.pid : -process.pid

/** The invocation at work, if there is one. */
let awsRequestId: string | undefined
/** Called if a handler is pending and the event loop has nothing left to wait for. */
let onEmptyEventLoop: (() => void) | undefined

/**
 * SDK v2 ignores AWS_ENDPOINT_URL_…, so the endpoint is set in the handler's own copy, if there is one, before it runs.
 */
function pointSdkVersion2(file: string) {
  const handlerRequire = createRequire(file)
  try {
    handlerRequire.resolve('aws-sdk')
  } catch {
    return
  }
  const { config } = handlerRequire('aws-sdk')
  config.chimesdkmessaging = { endpoint: process.env.AWS_ENDPOINT_URL_CHIME_SDK_MESSAGING }
  config.chimesdkidentity = { endpoint: process.env.AWS_ENDPOINT_URL_CHIME_SDK_IDENTITY }
}

async function load(file: string, exportPath: string): Promise<LambdaFunction> {
  pointSdkVersion2(file)
  const module = await import(pathToFileURL(file).href)
  // What a CommonJS module exports is always under `default`, and beside it only where Node could foresee it.
  const found = member(module, exportPath) ?? member(module.default, exportPath)
  if (typeof found === 'function') return found as LambdaFunction
  const names = Object.keys({ ...module.default, ...module }).filter((name) => name !== 'module.exports')
  throw new TypeError(`it exports no function "${exportPath}", but ${names.join(', ') || 'nothing'}`)
}

const member = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((owner, name) => (owner as Record<string, unknown> | undefined)?.[name], value)

function send(method: string, path: string, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(runtime + path, { method, agent }, resolve)
      .on('error', reject)
      .end(body)
  })
}

async function post(path: string, body: object): Promise<void> {
  await allPrinted()
  await text(await send('POST', path, JSON.stringify(body)))
}

/** A report is sent after everything printed so far is on its way, so that the server logs it with this invocation. */
const allPrinted = () => Promise.all([process.stdout, process.stderr].map(flush))

/** By the class's own `write`, since handlers put theirs in the place of the stream's. */
const flush = (stream: Writable) =>
  stream.writableLength === 0 ||
  new Promise<unknown>((resolve) => Writable.prototype.write.call(stream, '', 'utf8', resolve))

/** "Using the Lambda context object to retrieve Node.js function information" in AWS's developer guide. */
function contextOf(id: string, deadlineMs: number, functionArn: string) {
  return {
    awsRequestId: id,
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: functionArn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  }
}

/**
 * Resolves with the return value when the handler has ended well.
 */
function run(handler: LambdaFunction, event: unknown, context: LambdaContext): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end: LambdaCallback = (error, result) => (error == null ? resolve(result) : reject(error))
    // A handler that neither calls back nor gives a promise has ended when it has nothing left to do.
    let atEmptyEventLoop = () => end()
    onEmptyEventLoop = () => atEmptyEventLoop()
    const callback: LambdaCallback = (error, result) => {
      if (context.callbackWaitsForEmptyEventLoop) atEmptyEventLoop = () => end(error, result)
      else end(error, result)
    }
    const succeed = (result: unknown) => end(null, result)
    const fail = (error: unknown = 'failed') => end(error)
    const returned = handler(event, Object.assign(context, { done: end, succeed, fail }), callback)
    if (!isPromise(returned)) return
    const stuck = 'the promise of the handler cannot settle: nothing is left that could wake it'
    atEmptyEventLoop = () => reject(Object.assign(new Error(stuck), { name: 'UnsettledPromise' }))
    returned.then(resolve, reject)
  })
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | undefined | null)?.then === 'function'

/** Returns the report. */
async function serveOne(handler: LambdaFunction, invocation: RuntimeInvocation): Promise<ChannelReport> {
  const event = JSON.parse(invocation.body)
  awsRequestId = invocation.awsRequestId
  process.env._X_AMZN_TRACE_ID = invocation.traceId
  const context = contextOf(awsRequestId, invocation.deadlineMs, invocation.functionArn)
  const outcome = await run(handler, event, context)
    .then((value) => (invocation.wantsReturned ? { returned: bounded(value) } : {}))
    .catch((error) => ({ errorType: printed(error) }))
  await allPrinted()
  const report = { awsRequestId, ...outcome }
  awsRequestId = undefined
  onEmptyEventLoop = undefined
  return report
}

/** Throws if the value cannot be JSON, or is too long. */
function bounded(value: unknown): unknown {
  const length = JSON.stringify(value ?? null)?.length ?? 0
  if (length <= returnedLengthMax) return value ?? null
  throw new RangeError(`the return value has ${length} characters as JSON: at most ${returnedLengthMax} are allowed`)
}

/** Returns the type of the error. */
function printed(error: unknown): string {
  console.error(error)
  return describe(error).errorType
}

/** The error's class and its code, such as `Error ECONNREFUSED`: never its text, which may quote a message. */
function describe(error: unknown) {
  const report = (errorType: unknown, errorMessage: unknown) => ({
    errorType: String(errorType).slice(0, failureLengthMax),
    errorMessage: String(errorMessage).slice(0, failureLengthMax),
  })
  if (!(error instanceof Error)) return report(typeof error, error)
  const code = codeOf(error) ?? codeOf(error.cause)
  return report(code === undefined ? error.name : `${error.name} ${code}`, error.message)
}

/** Only what looks like a code of Node, of the system or of a library. */
function codeOf(error: unknown): string | undefined {
  const { code } = Object(error)
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : undefined
}

/**
 * A handler in an endless loop cannot notice that the server has ended, so a separate thread checks that. The server
 * passes its process id: it may have ended before this process, or that thread, could read its parent's id. Resolves
 * when the thread runs.
 */
async function endWithServer(serverPid: number): Promise<void> {
  const watch = `setInterval(() => { if (process.ppid !== ${serverPid}) process.kill(${ownGroup}, 'SIGKILL') }, 1000)`
  // NODE_OPTIONS of the function have no say in this thread.
  const thread = new Worker(watch, { eval: true, stdout: true, stderr: true, env: {}, execArgv: [] })
  await once(thread, 'online')
  thread.unref()
}

/** Acquires all resources of the process that the system may deny: afterwards it needs no further thread. */
async function start(): Promise<void> {
  const [, , file = '', , serverPid = '', folder = ''] = process.argv
  // Any call of this kind starts the thread pool.
  await Promise.all([endWithServer(Number(serverPid)), stat(import.meta.filename)])
  takeFilesBySyntax([folder, process.env.LAMBDA_TASK_ROOT ?? folder, ...folderOfLinked(file)])
  lendSdk()
  await text(await send('POST', 'init/started'))
}

/** Where the file itself is, if it is a link: its neighbours are there. */
function folderOfLinked(file: string): string[] {
  try {
    return [dirname(realpathSync(file))]
  } catch {
    return []
  }
}

/** After an uncaught error no state can be trusted: it is reported, and the process ends. */
async function giveUp(error: unknown) {
  process.off('uncaughtException', giveUp)
  await post(awsRequestId ? `invocation/${awsRequestId}/error` : 'init/error', describe(error)).catch(() => {})
  if (!(error instanceof SyntaxError)) {
    console.error(error)
    process.exit(1)
  }
  beginLastEntry(process.stderr)
  // Thrown again, so that Node prints it with its place in the file, which the error itself does not know.
  setImmediate(() => {
    throw error
  })
}

process.on('beforeExit', () => onEmptyEventLoop?.())
// The server holds the other end of the pipe: when it closes, the server has ended, and this process must end, too.
process.stdin.on('end', () => process.kill(ownGroup, 'SIGKILL')).resume()
;(process.stdin as typeof process.stdin & { unref(): void }).unref()

await start().catch((error) => {
  console.error(`${error}`)
  process.exit(startFailedExitCode)
})
process.on('uncaughtException', giveUp)
for (const stream of [process.stdout, process.stderr]) markEntries(stream)
const [, , file = '', exportPath = ''] = process.argv
const handler = await load(file, exportPath).catch(giveUp)
if (handler) {
  const channel = await Channel.open(`${runtime}invocation/channel`)
  for (let report: ChannelReport = {}; ; ) report = await serveOne(handler, await channel.next(report))
}
