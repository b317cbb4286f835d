import { type Setting, settings } from '../settings.ts'

/** `carillon help`. The settings come from the table that the parser uses. */
export async function help(): Promise<number> {
  console.log(helpText())
  return 0
}

const columnsMax = 80

/** All commands and settings. */
export function helpText(): string {
  return `carillon, a server for Amazon Chime SDK messaging

  npx carillon serve [flags]    starts the server
  npx carillon stop             stops the server of a data folder
  npx carillon console          prints a link to the console
  npx carillon keys             makes, lists, suspends and resumes access keys
  npx carillon audit            lists what operators did
  npx carillon work             lists the background work that is due
  npx carillon trace ID         shows what happened to a message, and why
  npx carillon pending          lists the messages that flows hold
  npx carillon failed           lists the messages that failed
  npx carillon complete ID      approves a held message
  npx carillon deny ID          denies a held message
  npx carillon fail ID          ends a held message without a verdict
  npx carillon extend 2h ID     gives the processor of a held message more time
  npx carillon again ID         hands a held message to its processor again
  npx carillon processors       lists the functions and what they hold
  npx carillon pause NAME       invokes a function no more; its messages wait
  npx carillon resume NAME      ends the pause
  npx carillon flows status     shows how many channels lack a required flow
  npx carillon doctor           lists what is wrong, and what to do
  npx carillon migrate          migrates the schema of the store
  npx carillon backup FILE      copies the database, also while the server runs
  npx carillon healthcheck      checks whether the server is ready
  npx carillon demo             shows a channel flow at work
  npx carillon help             prints this text
  npx carillon version          prints the version

Each setting of serve is a flag or an environment variable. The flag wins.

${Object.values<Setting>(settings).map(settingHelp).join('\n\n')}

Secrets have no flag, because flags show in the process list. To read a secret
from a file, set the variable with the suffix _FILE to its path.`
}

function settingHelp({ variable, flag, form, preset, about }: Setting): string {
  const names = flag ? [`${flag} ${form.sign}`, variable] : [variable, `${variable}_FILE`]
  return `  ${names.join(', ')}${preset ? ` (${preset})` : ''}\n${wrap(about, '      ')}`
}

function wrap(text: string, indent: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = `${lines.at(-1)} ${word}`.trimStart()
    if (indent.length + line.length > columnsMax) lines.push(word)
    else lines[lines.length - 1] = line
  }
  return lines.map((line) => indent + line).join('\n')
}
