import { ConfigError } from '../config.ts'
import { nearest } from '../near-names.ts'

const seeHelp = 'see npx carillon help'

/** Loaded on demand, so that `carillon help` does not load a server. */
const commands = new Map<string, (args: string[]) => Promise<number>>([
  ['serve', async (args) => (await import('./serve.ts')).serve(args, process.env)],
  ['stop', async (args) => (await import('./stop.ts')).stop(args, process.env)],
  ['console', async (args) => (await import('./console.ts')).console(args, process.env)],
  ['keys', async (args) => (await import('./keys.ts')).keys(args, process.env)],
  ['audit', async (args) => (await import('./audit.ts')).audit(args, process.env)],
  ['work', async (args) => (await import('./work.ts')).work(args, process.env)],
  ['trace', async (args) => (await import('./trace.ts')).trace(args, process.env)],
  ['pending', async (args) => (await import('./held-messages.ts')).pending(args, process.env)],
  ['failed', async (args) => (await import('./held-messages.ts')).failed(args, process.env)],
  ['complete', async (args) => (await import('./held-messages.ts')).actOnHeld('complete', args, process.env)],
  ['deny', async (args) => (await import('./held-messages.ts')).actOnHeld('deny', args, process.env)],
  ['fail', async (args) => (await import('./held-messages.ts')).actOnHeld('fail', args, process.env)],
  ['extend', async (args) => (await import('./held-messages.ts')).actOnHeld('extend', args, process.env)],
  ['again', async (args) => (await import('./held-messages.ts')).actOnHeld('again', args, process.env)],
  ['processors', async (args) => (await import('./processors.ts')).processors(args, process.env)],
  ['pause', async (args) => (await import('./processors.ts')).pauseOrResume('pause', args, process.env)],
  ['resume', async (args) => (await import('./processors.ts')).pauseOrResume('resume', args, process.env)],
  ['flows', async (args) => (await import('./flows.ts')).flows(args, process.env)],
  ['doctor', async (args) => (await import('./doctor.ts')).doctor(args, process.env)],
  ['migrate', async (args) => (await import('./migrate.ts')).migrate(args, process.env)],
  ['backup', async (args) => (await import('./backup.ts')).backup(args, process.env)],
  ['healthcheck', async (args) => (await import('./healthcheck.ts')).healthcheck(args, process.env)],
  ['demo', async (args) => (await import('./demo.ts')).demo(args)],
  ['help', async () => (await import('./help.ts')).help()],
  ['version', async () => (await import('./version.ts')).version()],
])

/** Runs one command line and returns its exit code. Errors go to standard error, without a stack. */
export async function run([name = '', ...args]: string[]): Promise<number> {
  const command = commands.get(commandName(name, args))
  if (!command) {
    console.error(unknownCommand(name))
    return 1
  }
  try {
    return await command(args)
  } catch (error) {
    console.error(failure(error))
    return 1
  }
}

/** A help flag anywhere in the command line shows the help. */
function commandName(name: string, args: string[]): string {
  if ([name, ...args].some((arg) => arg === '--help' || arg === '-h')) return 'help'
  return name === '--version' ? 'version' : name
}

function unknownCommand(name: string): string {
  if (name === '') return `carillon needs a command: ${seeHelp}`
  if (name.startsWith('-')) return `${name} is not a command: ${seeHelp}`
  const near = nearest(name, [...commands.keys()]) || `: ${seeHelp}`
  return `carillon has no command ${JSON.stringify(name)}${near}`
}

function failure(error: unknown): string {
  if (error instanceof ConfigError) return [...error.problems, seeHelp].join('\n')
  return `carillon: ${error instanceof Error ? error.message : error}`
}
