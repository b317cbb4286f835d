/** The settings of a function, from its `function.json`. */
export interface FunctionSettings {
  /** As Lambda has it: `src/app.handler` is the export `handler` of `src/app.mjs`, `.js`, `.cjs` or `.ts`. */
  handler: string
  environment: Record<string, string>
  /** How long it may hold one event, once it has it. */
  timeoutMs: number
  /** Its processes: how many events it may have at once. */
  concurrency: number
  /** The ids of the AppInstanceUsers on whose behalf it may call this server. */
  actAs: string[]
}

export const defaultTimeoutMs = 30_000
/** Enough for processors that wait for a model or a service. */
export const defaultConcurrency = 8
/** AWS's own limit for all functions of an account together. */
const concurrencyMax = 1_000
/** Lambda's own limit: 15 minutes. */
const timeoutMsMax = 900_000
const handlerPattern = /^(?:[^\s/]+\/)*[^\s/.]+\.[^\s/]+$/

/** Throws an Error that names everything that is wrong with it. */
export function parseFunctionJson(text: string): FunctionSettings {
  const json: unknown = JSON.parse(text)
  if (!isObject(json)) throw new Error('it must be an object')
  const { handler = 'index.handler', environment = {}, ...others } = json
  const { timeoutMs = defaultTimeoutMs, concurrency = defaultConcurrency, actAs = [], ...unknown } = others
  const known = 'handler, environment, timeoutMs, concurrency, actAs'
  const problems = Object.keys(unknown).map((name) => `"${name}" is none of ${known}`)
  if (!isHandler(handler)) problems.push('"handler" must be FILE.EXPORT below this folder, such as "src/app.handler"')
  if (!isEnvironment(environment)) problems.push('"environment" must be an object such as {"TABLE": "words"}')
  if (!isUserIds(actAs)) problems.push('"actAs" must be a list of AppInstanceUser ids such as ["moderator"]')
  for (const [name, value, max] of [
    ['timeoutMs', timeoutMs, timeoutMsMax],
    ['concurrency', concurrency, concurrencyMax],
  ] as const) {
    if (!isUpTo(max, value)) problems.push(`"${name}" must be a whole number from 1 to ${max}`)
  }
  if (problems.length > 0) throw new Error(problems.join('; '))
  return { handler, environment, timeoutMs, concurrency, actAs } as FunctionSettings
}

/** `src/app` and `handler` of `src/app.handler`: the file's name ends at its first dot, as in Lambda. */
export function splitHandler(handler: string): { modulePath: string; exportPath: string } {
  const dot = handler.indexOf('.', handler.lastIndexOf('/') + 1)
  return { modulePath: handler.slice(0, dot), exportPath: handler.slice(dot + 1) }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isHandler = (value: unknown) =>
  typeof value === 'string' && handlerPattern.test(value) && !value.split('/').includes('..')

/** As `UserId` in contract/shapes.ts: this room runs without the packages that the contract needs. */
const userIdPattern = /^[A-Za-z0-9](?:[A-Za-z0-9:\-_.@]{0,62}[A-Za-z0-9])?$/
/** The token of the function's key names none of them; this only limits a mistake. */
const actAsMax = 100

const isUserIds = (value: unknown) =>
  Array.isArray(value) &&
  value.length <= actAsMax &&
  value.every((id) => typeof id === 'string' && userIdPattern.test(id))

const isEnvironment = (value: unknown) => isObject(value) && Object.entries(value).every(isVariable)

const isVariable = ([name, value]: [string, unknown]) =>
  /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) && typeof value === 'string' && !value.includes('\0')

const isUpTo = (max: number, value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max
