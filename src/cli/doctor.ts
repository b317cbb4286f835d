import { takeFlags } from './own-flags.ts'
import { serverOf } from './running-server.ts'

interface Finding {
  Kind: string
  Subject?: string
  Problem: string
  Remedy: string
}

/**
 * `carillon doctor`: what is wrong, one line each, with what to do. The running server looks, because only it knows its
 * functions and the limits of its process. Returns 1 if there is anything.
 */
export async function doctor(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { flags, others } = takeFlags(args, { '--json': 'no value' })
  const { Findings } = await serverOf(others, environment).call<{ Findings: Finding[] }>(
    'GET',
    '/carillon/v1/diagnosis',
  )
  const lines = Findings.map(
    ({ Subject, Problem, Remedy }) => `${Subject === undefined ? '' : `${Subject}: `}${Problem}. ${Remedy}`,
  )
  if (flags['--json'] !== undefined) console.log(JSON.stringify(Findings, null, 2))
  else console.log(lines.length === 0 ? 'Nothing is wrong.' : lines.join('\n'))
  return lines.length === 0 ? 0 : 1
}
