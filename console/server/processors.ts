import { call } from './call.ts'

export interface Processor {
  FunctionName: string
  State: 'ready' | 'broken' | 'missing' | 'paused' | 'unreachable'
  /** For the developer of the function. */
  Error?: string
  Held: number
  OldestSeconds: number
  Paused: boolean
  Calls: number
  Errors: number
  Waiting: number
  AtProcessor: number
  Places: number
  /** Not in frames, which have the output beside. */
  LastOutput?: string[]
}

export async function listProcessors(signal: AbortSignal): Promise<Processor[]> {
  const output = await call<{ Processors: Processor[] }>('GET', '/carillon/v1/processors', undefined, signal)
  return output.Processors
}

export const changeProcessor = (name: string, operation: 'pause' | 'resume'): Promise<void> =>
  call('POST', `/carillon/v1/processors/${encodeURIComponent(name)}?operation=${operation}`)
