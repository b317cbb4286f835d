const all = process.env.CARILLON_TEST_REQUIRE === 'all'

/**
 * For the `skip` of a test that needs what not every machine has: why it cannot run here, or false if it can. With
 * CARILLON_TEST_REQUIRE=all, as `npm run test:all` sets it, nothing may be lacking, and the file with the test fails.
 */
export function unlessRequired(reason: string | false): string | false {
  if (reason !== false && all) throw new Error(`CARILLON_TEST_REQUIRE=all, but ${reason}; see npm run test:setup`)
  return reason
}
