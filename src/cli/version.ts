import { readFileSync } from 'node:fs'

/** `carillon version`. */
export async function version(): Promise<number> {
  const packageText = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  console.log(`carillon ${JSON.parse(packageText).version}`)
  return 0
}
