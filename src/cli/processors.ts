import { ConfigError } from '../config.ts'
import { serverOf } from './running-server.ts'

interface Processor {
  FunctionName: string
  Held: number
  OldestSeconds: number
  State: string
  Error?: string
}

/** `carillon processors`: the functions that hold messages, are paused, or are there. */
export async function processors(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const server = serverOf(args, environment)
  const { Processors } = await server.call<{ Processors: Processor[] }>('GET', '/carillon/v1/processors')
  const lines = Processors.map(({ FunctionName, Held, OldestSeconds, State, Error: error = '' }) => {
    const oldest = Held > 0 ? `, the oldest for ${Math.round(OldestSeconds)} s` : ''
    const [reason = ''] = error.split('\n')
    const state = State === 'ready' ? '' : `  ${State}${reason && `: ${reason}`}`
    return `${FunctionName}  holds ${Held}${oldest}${state}`
  })
  console.log(lines.length === 0 ? 'There is no function, and none holds a message.' : lines.join('\n'))
  return 0
}

/** `carillon pause NAME` and `carillon resume NAME`. */
export async function pauseOrResume(
  act: 'pause' | 'resume',
  [name = '', ...settings]: string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  if (!/^[\w.-]{1,140}$/.test(name) || name.startsWith('-')) {
    throw new ConfigError([`npx carillon ${act} needs the name of a function`])
  }
  const server = serverOf(settings, environment)
  const { Changed } = await server.call<{ Changed: boolean }>(
    'POST',
    `/carillon/v1/processors/${encodeURIComponent(name)}?operation=${act}`,
  )
  console.log(textOf(act, name, Changed))
  return 0
}

function textOf(act: 'pause' | 'resume', name: string, changed: boolean): string {
  if (act === 'resume') return changed ? `${name} is invoked again.` : `${name} was not paused.`
  return changed ? `${name} is paused: its messages wait, and their deadlines continue.` : `${name} was paused already.`
}
