import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readConfig } from '../config.ts'
import { createLink, linkMs, linkTo } from '../console/links.ts'
import { systemClock } from '../runtime/clock.ts'
import { commandLine, recordAct } from '../store/audit.ts'
import { readEndpoint } from './running-server.ts'
import { systemUser } from './system-user.ts'
import { withStore } from './with-store.ts'

/** `carillon console`: prints a link that signs in to the console of the server in a data folder, once. */
export async function console(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { config } = readConfig(args, environment, (path) => readFileSync(path, 'utf8'))
  const url = consoleIn(resolve(config.dataDir))
  const at = systemClock.now()
  const act = { at, accessKeyId: commandLine, keyName: systemUser(), action: 'carillon:CreateConsoleLink', facts: {} }
  const token = await withStore(args, environment, (store) =>
    store.transaction(async (transaction) => {
      await recordAct(transaction, act)
      return createLink(transaction, at)
    }),
  )
  process.stdout.write(
    `${linkTo(url, token)}\n\nIt signs in once, within ${linkMs / 60_000} minutes, with all rights.\n`,
  )
  return 0
}

/** The URL of the console. Throws if no link may lead there. */
function consoleIn(folder: string): string {
  const { admin, console: url } = readEndpoint(folder)
  if (url !== undefined) return url
  if (admin === undefined) throw new Error('the server has no admin port: start it without --admin-port off')
  throw new Error(
    `other machines reach the admin port, so it accepts no link: sign in at ${admin} with an operator's key, ` +
      'which npx carillon keys create --operator prints',
  )
}
