import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Log } from '../runtime/log.ts'
import { type Build, buildPages } from './build.ts'

/** One file of the built console. */
export interface BuiltFile {
  type: string
  /** Its name has a hash of its content, so it never changes. */
  isImmutable: boolean
  body: Buffer
  /** The same body, compressed with Brotli. */
  brotli: Buffer | undefined
}

/** Why there is no page yet. */
export type Unbuilt = 'building' | 'failed' | 'missing'

interface PagesParts {
  /** The folder with `console/`, `node_modules/` and `dist/`. */
  root: string
  log: Pick<Log, 'info' | 'error'>
}

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  json: 'application/json',
  woff2: 'font/woff2',
}

/**
 * The pages of the console as files in memory. A package and the image have them built; a clone builds them in a child
 * process, when they are missing or older than their sources. Until then the previous build is served, if there is one.
 */
export class Pages {
  readonly #parts: PagesParts
  readonly #folder: string
  readonly #sources: string
  #files: Map<string, BuiltFile> | undefined
  #loading: Promise<void> | undefined
  #build: Build | undefined
  #isBuildWanted = true
  #failed = false

  constructor(parts: PagesParts) {
    this.#parts = parts
    this.#folder = join(parts.root, 'dist', 'console-pages')
    this.#sources = join(parts.root, 'console')
  }

  /** The file at this path, such as `/assets/index-4c1.js`; undefined if there is no such file. */
  async find(path: string): Promise<BuiltFile | Unbuilt | undefined> {
    await this.prepare()
    if (this.#files) return this.#files.get(path)
    if (this.#build) return 'building'
    return this.#failed ? 'failed' : 'missing'
  }

  /** Reads the files, and builds them in the background if that is necessary. */
  prepare(): Promise<void> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  /** Ends a build in progress. */
  close(): void {
    this.#isBuildWanted = false
    this.#build?.end()
  }

  async #load(): Promise<void> {
    const builtAt = await timeOf(join(this.#folder, 'index.html'))
    if (builtAt !== undefined) this.#files = await readFiles(this.#folder)
    if (this.#isBuildWanted && builtAt !== undefined && !(await this.#isStale(builtAt))) return
    if (this.#isBuildWanted && existsSync(join(this.#sources, 'index.html'))) this.#startBuild()
  }

  async #isStale(builtAt: number): Promise<boolean> {
    if (!existsSync(this.#sources)) return false
    const entries = await readdir(this.#sources, { recursive: true })
    const times = await Promise.all(['', ...entries].map((entry) => timeOf(join(this.#sources, entry))))
    return times.some((time) => time !== undefined && time > builtAt)
  }

  #startBuild(): void {
    const { root, log } = this.#parts
    log.info({ folder: this.#sources }, 'the console is being built')
    this.#build = buildPages(root, this.#folder)
    void this.#build.ended.then(async (failure) => {
      if (!this.#isBuildWanted) return
      const reason = failure ?? (await this.#readBuilt())
      this.#failed = reason !== undefined
      this.#build = undefined
      if (reason === undefined) log.info({ folder: this.#folder }, 'the console is built')
      else log.error({ reason }, 'building the console failed')
    })
  }

  /** Returns the reason of a failure. */
  async #readBuilt(): Promise<string | undefined> {
    try {
      this.#files = await readFiles(this.#folder)
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }
}

async function readFiles(folder: string): Promise<Map<string, BuiltFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const known = new Set(paths)
  const files = paths
    .filter((path) => typeOf(path) !== undefined)
    .map(async (path) => {
      const brotli = known.has(`${path}.br`) ? await readFile(`${path}.br`) : undefined
      const name = `/${relative(folder, path).split(sep).join('/')}`
      const isImmutable = name.startsWith('/assets/')
      return [name, { type: typeOf(path)!, isImmutable, body: await readFile(path), brotli }] as const
    })
  return new Map(await Promise.all(files))
}

const typeOf = (path: string): string | undefined => types[/\.([^./\\]+)$/.exec(path)?.[1] ?? '']

const timeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
