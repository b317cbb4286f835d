const { NODE_COMPILE_CACHE: folder } = process.env

/** For the environment of a child that gets nothing else of the test's. run-tests.ts sets it; the server ignores it. */
export const compileCache: Record<string, string> = folder === undefined ? {} : { NODE_COMPILE_CACHE: folder }
