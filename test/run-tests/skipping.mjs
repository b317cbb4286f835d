import { suite, test } from 'node:test'

/* For run-tests.test.ts: what may be skipped and what may not. The suite has no test that would be counted as skipped. */
test('allowed', { skip: 'allowed: only root may do this' }, () => {})
if (!process.env.SKIP_WHAT_IS_ALLOWED) {
  test('a test', { skip: 'a tool is missing' }, () => {})
  suite('a suite', { skip: 'a tool is missing' }, () => {})
}
