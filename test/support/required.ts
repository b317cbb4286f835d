const all = process.env.CARILLON_TEST_REQUIRE === 'all'

/** How the reason of a skip begins that `npm run test:all` allows, too. */
export const allowed = 'allowed: '

/**
 * For the `skip` of a test with requirements that not every machine satisfies: the reason why it cannot run here, or
 * false if it can. With CARILLON_TEST_REQUIRE=all, as `npm run test:all` sets it, nothing may be missing, and the file
 * of the test fails.
 */
export function unlessRequired(reason: string | false): string | false {
  if (reason !== false && all) throw new Error(`CARILLON_TEST_REQUIRE=all, but ${reason}; see npm run test:setup`)
  return reason
}

/**
 * For the `skip` of a test that needs what no package gives: root, the right to mount a file system, a clone. `npm run
 * test:all` lists such a test, and passes without it.
 */
export function unlessPermitted(reason: string | false): string | false {
  return reason && allowed + reason
}
