/**
 * How a function's files become modules, in the function's own process. Node asks the nearest package.json whether a `.js`
 * or `.ts` file is CommonJS or an ES module, and would find that of the project around the functions folder. Here only
 * a package.json inside the functions folder counts. A file that has none is taken by its syntax, as Lambda and Node do.
 *
 * Two doors lead to a module, and both are needed: a load hook serves `import`, and `Module._extensions` serves `require`.
 * Node's CommonJS loader asks package.json before it calls any hook, so hooks alone cannot free it from `type: module`.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire, Module, registerHooks, stripTypeScriptTypes } from 'node:module'
import { dirname, extname, join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compileFunction } from 'node:vm'

type Format = 'commonjs' | 'module'
/** The parts of Node's CommonJS loader that `require.extensions` documents, and what its own extensions call. */
type CommonJsModule = { _compile(source: string, file: string, format: Format): void }
type Load = (module: CommonJsModule, file: string) => void
const { _extensions: loads } = Module as unknown as { _extensions: Record<string, Load> }

const ownRequire = createRequire(import.meta.url)

/**
 * What lies above these folders has no say. They are followed to where they really are, as Node follows each file: a
 * function may be a link into the output of a build.
 */
export function takeFilesBySyntax(folders: string[]): void {
  // Where one lies in another, the outer one is found first.
  const roots = [...new Set(folders.flatMap(realPath))].sort((a, b) => a.length - b.length)
  const packageScopes = new Map<string, boolean>()
  const takesBySyntax = (file: string) => {
    const root = roots.find((folder) => file.startsWith(folder.endsWith(sep) ? folder : folder + sep))
    if (root === undefined || !['.js', '.ts', ''].includes(extname(file))) return false
    const path = relative(root, file)
    // Node looks for no package.json above node_modules either.
    return !path.split(sep).includes('node_modules') && !hasPackage(dirname(file), root, packageScopes)
  }
  hookImport(takesBySyntax)
  hookRequire(takesBySyntax)
}

/** Returns nothing for a missing or unreadable folder: loading the function reports that. */
function realPath(folder: string): string[] {
  try {
    return [realpathSync(folder)]
  } catch {
    return []
  }
}

function hasPackage(folder: string, root: string, known: Map<string, boolean>): boolean {
  let has = known.get(folder)
  if (has === undefined) {
    has = existsSync(join(folder, 'package.json')) || (folder !== root && hasPackage(dirname(folder), root, known))
    known.set(folder, has)
  }
  return has
}

function hookImport(takesBySyntax: (file: string) => boolean): void {
  registerHooks({
    load(url, context, nextLoad) {
      const file = url.startsWith('file:') ? fileURLToPath(url) : undefined
      if (file === undefined || !takesBySyntax(file)) return nextLoad(url, context)
      const source = sourceOf(file)
      return { source, format: formatOf(source), shortCircuit: true }
    },
  })
}

function hookRequire(takesBySyntax: (file: string) => boolean): void {
  // Some releases of Node have a loader of its own for `.ts`. The others give `.ts` to that for `.js`.
  for (const extension of ['.js', '.ts']) {
    const load = loads[extension]
    if (!load) continue
    loads[extension] = (module, file) => {
      if (!takesBySyntax(file)) return load(module, file)
      const source = sourceOf(file)
      module._compile(source, file, formatOf(source))
    }
  }
}

/** Replaces types with blanks, so that no position changes. Throws for TypeScript with more than erasable types. */
function sourceOf(file: string): string {
  const source = readFileSync(file, 'utf8')
  return extname(file) === '.ts' ? stripTypeScriptTypes(source, { sourceUrl: pathToFileURL(file).href }) : source
}

/** What parses as CommonJS is CommonJS. All else is an ES module: also what is wrong in both, whose error Node then shows. */
function formatOf(source: string): Format {
  try {
    compileFunction(source, ['exports', 'require', 'module', '__filename', '__dirname'])
    return 'commonjs'
  } catch {
    return 'module'
  }
}

/** As in AWS, the SDK is there for a handler that does not bring it. A copy the handler brings is found first. */
export function lendSdk(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        if (!/^@(aws-sdk|smithy)\//.test(specifier) || context.parentURL === import.meta.url) throw error
        // One copy for both import and require. A changed parentURL would only work for import.
        return { url: pathToFileURL(ownResolve(specifier, error)).href, shortCircuit: true }
      }
    },
  })
}

function ownResolve(specifier: string, original: unknown): string {
  try {
    return ownRequire.resolve(specifier)
  } catch {
    throw original
  }
}
