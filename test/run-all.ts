import { spawn } from 'node:child_process'
import { once } from 'node:events'

/*
 * `npm run test:all`: every test and the fault run, where nothing may be lacking (`npm run test:setup` installs it) and
 * nothing may be skipped.
 */
const environment = { ...process.env, CARILLON_TEST_REQUIRE: 'all' }

/** Shows what the script prints, and answers with its end. */
async function run(script: string): Promise<{ status: number; printed: string }> {
  const child = spawn('npm', ['run', script], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text)
    printed += text
  })
  const [status] = await once(child, 'close')
  return { status: status ?? 1, printed }
}

const { status, printed } = await run('test')
const [, count = ''] = [...printed.matchAll(/^\S+ skipped (\d+)$/gm)].at(-1) ?? []
const skipped = Number(count || Number.NaN)
// A number that is not found is no zero.
if (skipped !== 0) console.error(`${skipped} tests were skipped: npm run test:all skips nothing`)
const faults = status === 0 && skipped === 0 ? await run('test:faults') : undefined
process.exit(faults?.status ?? 1)
