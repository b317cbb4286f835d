import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Log } from '../runtime/log.ts'
import { type FolderSignature, signatureOf, watchedDepthMax, watchedEntriesMax } from './folder-signature.ts'
import { defaultTimeoutMs, type FunctionSettings, parseFunctionJson, splitHandler } from './function-json.ts'

/** Where a function's code is, and how it is to be run. */
export interface FunctionCode extends FunctionSettings {
  functionName: string
  /** The module that `handler` names, and the function in it: `handler`, or `a.b` for a member of an export. */
  file: string
  exportPath: string
  /** What is /var/task in AWS. */
  taskRoot: string
  /** Another one as soon as any file of the functions folder has changed. */
  signature: string
}

/** There is no such function. */
export class MissingFunction extends Error {}
/** There is one, and its developer has to mend it. AWS, too, accepts an event for it, and then the attempt fails. */
export class BrokenFunction extends Error {}

const extensions = ['.mjs', '.js', '.cjs', '.ts']
/** What a channel flow allows in a Lambda ARN, less a dot in front: no name leads out of the folder. */
const namePattern = /^[a-zA-Z0-9\-_][a-zA-Z0-9\-_.]{0,139}$/

/** A folder of functions, read anew for every event, so that a change is seen by the next one. */
export class FunctionFolder {
  #folder: string
  #log: Log
  #warned = false
  #reading: Promise<unknown> = Promise.resolve()
  #nextReading: Promise<FolderSignature> | undefined

  constructor(folder: string, log: Log) {
    this.#folder = resolve(folder)
    this.#log = log
  }

  /** Throws MissingFunction or BrokenFunction, with a message for the developer of the function. */
  async find(functionName: string): Promise<FunctionCode> {
    const signature = await this.#signature()
    const found = namePattern.test(functionName)
      ? ((await configured(this.#folder, functionName)) ?? (await plain(this.#folder, functionName)))
      : undefined
    if (found) return { ...found, functionName, signature }
    const names = [...extensions.map((extension) => functionName + extension), `${functionName}/index.*`]
    const lookedFor = `looked for ${names.join(', ')} and ${functionName}/function.json`
    throw new MissingFunction(`no function ${functionName} in ${this.#folder} (${lookedFor})`)
  }

  async #signature(): Promise<string> {
    try {
      const { signature, complete } = await this.#read()
      if (!complete && !this.#warned) this.#warn()
      return signature
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
      const advice = 'create it, or set CARILLON_FUNCTIONS to the folder your functions are in'
      throw new MissingFunction(`there is no folder ${this.#folder}: ${advice}`)
    }
  }

  /** One reading at a time. It serves all who asked before it began: whoever asks later may know of a later change. */
  #read(): Promise<FolderSignature> {
    this.#nextReading ??= this.#reading.then(() => {
      const reading = signatureOf(this.#folder)
      this.#reading = reading.catch(() => {})
      this.#nextReading = undefined
      return reading
    })
    return this.#nextReading
  }

  #warn(): void {
    this.#warned = true
    const limits = `${watchedEntriesMax} entries or ${watchedDepthMax} levels`
    this.#log.warn({ folder: this.#folder }, `more than ${limits}: changes beyond them are not seen until a restart`)
  }
}

type Location = Omit<FunctionCode, 'functionName' | 'signature'>

/** What NAME/function.json says, if it is there. */
async function configured(folder: string, name: string): Promise<Location | undefined> {
  const taskRoot = join(folder, name)
  const jsonFile = join(taskRoot, 'function.json')
  const text = await readFile(jsonFile, 'utf8').catch(unlessMissing)
  if (text === undefined) return undefined
  const settings = parse(text, jsonFile)
  const { modulePath, exportPath } = splitHandler(settings.handler)
  const file = await moduleFile(join(taskRoot, modulePath))
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
async function plain(folder: string, name: string): Promise<Location | undefined> {
  const settings = { environment: {}, timeoutMs: defaultTimeoutMs, exportPath: 'handler' }
  const single = await moduleFile(join(folder, name))
  if (single) return { ...settings, file: single, taskRoot: folder, handler: `${name}.handler` }
  const taskRoot = join(folder, name)
  const index = await moduleFile(join(taskRoot, 'index'))
  return index ? { ...settings, file: index, taskRoot, handler: 'index.handler' } : undefined
}

async function moduleFile(path: string): Promise<string | undefined> {
  for (const extension of extensions) {
    const found = await stat(path + extension).catch(unlessMissing)
    if (found?.isFile()) return path + extension
  }
  return undefined
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}
