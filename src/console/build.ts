import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** A build in a child process. */
export interface Build {
  /** Resolves to the reason of a failure. */
  ended: Promise<string | undefined>
  /** Ends it early. */
  end(): void
}

/** So much of what a failed build has printed last is kept. */
const outputLengthMax = 4_000

/**
 * Builds the console into a folder beside the one that is served, and renames it: two servers that build at the same time
 * never see half a build.
 */
export function buildPages(root: string, folder: string): Build {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  if (!existsSync(vite)) return { ended: Promise.resolve('Vite is not installed: run npm install'), end: () => {} }
  const target = `${folder}-${process.pid}`
  const args = [vite, 'build', 'console', '--outDir', target, '--emptyOutDir', '--logLevel', 'warn']
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-outputLengthMax)
    })
  }
  const exited = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code) => resolve(code === 0 ? undefined : output || `it ended with ${code}`))
  })
  return { ended: exited.then((failure) => finish(failure, target, folder)), end: () => void child.kill() }
}

async function finish(failure: string | undefined, target: string, folder: string): Promise<string | undefined> {
  try {
    if (failure === undefined) await replace(folder, target)
    return failure
  } catch (error) {
    return (error as Error).message
  } finally {
    await rm(target, { recursive: true, force: true })
  }
}

async function replace(folder: string, target: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await rename(target, folder).catch((error: NodeJS.ErrnoException) => {
    // Another server has built the same at the same time.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
}
