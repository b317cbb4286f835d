import { spawnSync } from 'node:child_process'

/*
 * `npm run test:all`: every test, those that take long among them, and the fault run. Nothing may be lacking
 * (`npm run test:setup` installs it), and nothing is skipped but what the run names as allowed.
 */
const env = { ...process.env, CARILLON_TEST_REQUIRE: 'all' }
const commands = [
  ['npm', 'test'],
  [process.execPath, 'test/run-tests.ts', 'test/**/*.slow.ts'],
  [process.execPath, 'test/run-on-cluster-store.ts', 'others'],
  ['npm', 'run', 'test:faults'],
] as const

for (const [command, ...args] of commands) {
  const { status } = spawnSync(command, args, { env, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
