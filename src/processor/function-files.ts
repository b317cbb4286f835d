import { readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { Shortage, shortageOf } from '../runtime/shortage.ts'
import type { FolderReading } from './folder-reading.ts'
import {
  defaultConcurrency,
  defaultTimeoutMs,
  type FunctionSettings,
  parseFunctionJson,
  splitHandler,
} from './function-json.ts'

/** The location of a function's code, and its settings. */
export interface FunctionCode extends FunctionSettings {
  functionName: string
  /** The module that `handler` names, and the function in it: `handler`, or `a.b` for a member of an export. */
  file: string
  exportPath: string
  /** What is /var/task in AWS. */
  taskRoot: string
  /** Changes whenever a file of the functions folder changes. */
  signature: string
}

/** The function exists, and its developer has to fix it. As in AWS, it gets the event, and the attempt fails. */
export class BrokenFunction extends Error {}

/** A function, or the reason why it cannot be run. */
export type Found = FunctionCode | BrokenFunction | Shortage

export const extensions = ['.mjs', '.js', '.cjs', '.ts']
/** The names that a channel flow allows in a Lambda ARN, except those with a dot in front, which could leave the folder. */
const namePattern = /^[a-zA-Z0-9\-_][a-zA-Z0-9\-_.]{0,139}$/

/** The functions in a folder, by their names. Throws when the system fails: then nothing is known about them. */
export async function functionsIn(folder: string, reading: FolderReading): Promise<Map<string, Found>> {
  const names = [...new Set(namesIn(folder, reading))].filter((name) => namePattern.test(name))
  const entries = names.map(async (name) => [name, await functionOf(folder, name, reading)] as const)
  return new Map(await Promise.all(entries))
}

/** Includes unreadable entries: a function that one of them may belong to is not known to be absent. */
function* namesIn(folder: string, { files, unreadable }: FolderReading): Generator<string> {
  for (const path of [...files, ...unreadable.keys()]) {
    const [first = '', second, ...deeper] = relative(folder, path).split(sep)
    if (second === undefined)
      yield* extensions.filter((end) => first.endsWith(end)).map((end) => first.slice(0, -end.length))
    else if (deeper.length === 0 && ['function.json', ...indexFiles].includes(second)) yield first
  }
  for (const path of unreadable.keys()) {
    const name = relative(folder, path)
    if (!name.includes(sep)) yield name
  }
}

const indexFiles = extensions.map((extension) => `index${extension}`)

async function functionOf(folder: string, functionName: string, reading: FolderReading): Promise<Found> {
  try {
    const location = (await configured(folder, functionName, reading)) ?? plain(folder, functionName, reading)
    if (location) return { ...location, functionName, signature: reading.signature }
    throw new Error(`function ${functionName} was removed while ${folder} was read`)
  } catch (error) {
    if (error instanceof BrokenFunction) return error
    if (shortageOf(error)) throw error
    return new Shortage('functions folder', (error as Error).message, { cause: error })
  }
}

type Location = Omit<FunctionCode, 'functionName' | 'signature'>

/** The content of NAME/function.json, if it exists. */
async function configured(folder: string, name: string, reading: FolderReading): Promise<Location | undefined> {
  const taskRoot = join(folder, name)
  const jsonFile = join(taskRoot, 'function.json')
  if (isFile(taskRoot, reading) || !isFile(jsonFile, reading)) return undefined
  const settings = parse(await readFile(jsonFile, 'utf8'), jsonFile)
  const { modulePath, exportPath } = splitHandler(settings.handler)
  const file = await handlerFile(join(taskRoot, modulePath), reading)
  if (file) return { ...settings, file, exportPath, taskRoot }
  const wanted = extensions.map((extension) => modulePath + extension).join(', ')
  throw new BrokenFunction(`${jsonFile}: no file for the handler ${settings.handler} (looked for ${wanted})`)
}

function parse(text: string, jsonFile: string): FunctionSettings {
  try {
    return parseFunctionJson(text)
  } catch (error) {
    throw new BrokenFunction(`${jsonFile}: ${(error as Error).message}`)
  }
}

/** NAME.mjs and the like, or NAME/index.mjs and the like. */
function plain(folder: string, name: string, reading: FolderReading): Location | undefined {
  const defaults = { environment: {}, timeoutMs: defaultTimeoutMs, concurrency: defaultConcurrency, actAs: [] }
  const settings = { ...defaults, exportPath: 'handler' }
  const single = moduleFile(join(folder, name), reading)
  if (single) return { ...settings, file: single, taskRoot: folder, handler: `${name}.handler` }
  const taskRoot = join(folder, name)
  const index = moduleFile(join(taskRoot, 'index'), reading)
  return index ? { ...settings, file: index, taskRoot, handler: 'index.handler' } : undefined
}

const moduleFile = (path: string, reading: FolderReading) =>
  extensions.map((extension) => path + extension).find((file) => isFile(file, reading))

/** Throws if the entry is unreadable: another file must not be used instead of it. */
function isFile(path: string, { files, unreadable }: FolderReading): boolean {
  const failure = unreadable.get(path)
  if (failure) throw failure
  return files.has(path)
}

/** A handler may also be in a folder that is not read, such as `.build`. */
async function handlerFile(path: string, reading: FolderReading): Promise<string | undefined> {
  const read = moduleFile(path, reading)
  if (read) return read
  for (const file of extensions.map((extension) => path + extension)) {
    const found = await stat(file).catch(unlessMissing)
    if (found?.isFile()) return file
  }
  return undefined
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}
