const { NODE_COMPILE_CACHE: folder } = process.env

/**
 * For the environment of a child that gets nothing else of the test's. run-tests.ts sets the folder; the server ignores it.
 * Servers of tests do without the preset admin port, unless a flag gives them one.
 */
export const compileCache: Record<string, string> = {
  CARILLON_ADMIN_PORT: 'off',
  ...(folder !== undefined && { NODE_COMPILE_CACHE: folder }),
}
