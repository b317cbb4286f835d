import { dirname } from 'node:path'
import type { Bench, Version } from './bench.ts'
import { costTable } from './cost.ts'
import { Results } from './figures.ts'
import { type Options, readOptions, usage } from './options.ts'
import { parts } from './parts.ts'
import { lastCommittedRun, newRecord, profileFolderOf, type RunRecord, writeRecord } from './record.ts'
import { Database } from './system/database.ts'
import { Janitor } from './system/janitor.ts'
import { Scratch } from './system/scratch.ts'
import { checkOut } from './system/versions.ts'
import { barTable, floorTable, resultTable } from './table.ts'

/*
 * `npm run bench`: measures Carillon, and shows what it measured. It fails when something does not work, never because
 * something is slow.
 */

const root = dirname(import.meta.dirname)

function optionsOrExit(): Options {
  try {
    return readOptions(
      process.argv.slice(2),
      parts.map(({ name }) => name),
    )
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(1)
  }
}

async function runParts(bench: Bench, record: RunRecord): Promise<void> {
  const { rounds, parts: wanted } = bench.options
  for (const { name, about, open } of parts.filter((part) => wanted.includes(part.name))) {
    console.log(`\n${name}: ${about}`)
    const results = new Results()
    const measure = await open(bench)
    for (let round = 1; round <= rounds; round += 1) await measure(results)
    record.parts[name] = results.summary()
    console.log(resultTable(record.parts[name]))
  }
}

async function run(options: Options, janitor: Janitor): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const scratch = new Scratch(janitor, options.data)
  if (!scratch.onDisk) console.log('no folder on a disk was found: commits are too cheap, and no bytes are written')
  if (options.quick) console.log('quick: small sizes and short measurements; the figures mean nothing')
  const record = newRecord(root, options, scratch.onDisk)
  const here: Version = { label: '', root }
  const versions = options.against === undefined ? [here] : [here, checkOut(options.against, root, scratch, janitor)]
  let database: Promise<Database | undefined> | undefined
  const bench: Bench = {
    options,
    versions,
    janitor,
    scratch,
    database() {
      database ??= Database.start().then((started) => started && stack.use(started))
      return database
    },
    profileFolder: options.profile ? profileFolderOf(record) : undefined,
  }
  await runParts(bench, record)
  const last = lastCommittedRun()
  for (const table of [floorTable(record, last), barTable(record)]) if (table) console.log(`\n${table}`)
  console.log(`\n${writeRecord(record, options.commit)}`)
  if (bench.profileFolder) {
    const costs = costTable(bench.profileFolder)
    if (costs) console.log(`\n${costs}`)
    console.log(bench.profileFolder)
  }
}

const options = optionsOrExit()
const janitor = new Janitor()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void janitor.clearUp().finally(() => process.exit(130)))
}
try {
  await run(options, janitor)
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await janitor.clearUp()
}
