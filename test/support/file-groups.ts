import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * The files of these folders share processes: to start one and to load the server into it takes as long as the tests of
 * most of them. They change nothing of their process, and each starts a server of its own. A file that mocks, the time of
 * its process for example, has a process of its own.
 */
const folders = ['api', 'contract', 'events', 'samples', 'session', 'signature', 'upkeep']
const mocks = /import \{[^}]*\bmock\b[^}]*\} from 'node:test'/
/** Their servers run until all of them have ended; on PostgreSQL, each has up to 14 connections. */
const filesMax = 8

/** Returns what to run in place of these files: each of them, or a file in `place` that loads several. */
export function shareProcesses(files: readonly string[], place: string): string[] {
  const inFolder = (file: string) => folders.some((folder) => file.startsWith(`test/${folder}/`))
  const shared = files.filter((file) => inFolder(file) && !mocks.test(readFileSync(file, 'utf8')))
  const count = Math.ceil(shared.length / filesMax)
  // Neighbours take equally long, so they are dealt.
  const groups = Array.from({ length: count }, (_, group) => shared.filter((_, index) => index % count === group))
  return [
    ...groups.map((group, index) => writeGroup(group, join(place, `group-${index + 1}.test.mjs`))),
    ...files.filter((file) => !shared.includes(file)),
  ]
}

/** The tests of the first files wait until all are loaded: else a process would end with those that it knows. */
function writeGroup(files: readonly string[], path: string): string {
  const urls = files.map((file) => pathToFileURL(resolve(file)).href)
  const text = `import { test } from 'node:test'
    const loaded = (async () => { for (const url of ${JSON.stringify(urls)}) await import(url) })()
    await test(${JSON.stringify(`loaded: ${files.join(', ')}`)}, () => loaded)`
  writeFileSync(path, text)
  return path
}
