import { type Setting, settings } from '../settings.ts'

/** `carillon help`. The settings come from the table that reads them. */
export async function help(): Promise<number> {
  console.log(helpText())
  return 0
}

/** All commands and settings, for an 80-column terminal. */
export function helpText(): string {
  return `carillon, a server for Amazon Chime SDK messaging

  carillon serve [flags]    starts the server
  carillon keys             makes, lists, suspends and resumes access keys
  carillon migrate          brings the schema of the store up to date
  carillon backup FILE      copies the database, also while the server runs
  carillon healthcheck      asks the server whether it is ready
  carillon demo             shows a channel flow at work
  carillon help             prints this text
  carillon version          prints the version

Each setting of serve is a flag or an environment variable. The flag wins.

${Object.values<Setting>(settings).map(settingHelp).join('\n\n')}

Secrets have no flag, since flags show in the process list. A variable with
_FILE behind its name holds the path of a file with the secret in it.`
}

function settingHelp({ variable, flag, form, preset, about }: Setting): string {
  const names = flag ? [`${flag} ${form.sign}`, variable] : [variable, `${variable}_FILE`]
  return `  ${names.join(', ')}${preset ? ` (${preset})` : ''}\n      ${about}`
}
