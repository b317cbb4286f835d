import { test } from 'node:test'
import { runKills } from './kill-run.ts'

test('what was acknowledged is true after any crash', { timeout: 400_000 }, (t) =>
  runKills(t, { killsMin: 21, acknowledgedMin: 2_000 }),
)
