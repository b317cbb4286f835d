import { spawnSync } from 'node:child_process'

/** The reason why `setpriv` cannot start a program in this way: a missing capability, or a missing program. */
export function setprivRefusal(options: string[], program: string[] = ['true']): string | false {
  const { error, status, stderr } = spawnSync('setpriv', [...options, ...program], { encoding: 'utf8' })
  if (status === 0) return false
  return `"setpriv ${options.join(' ')} ${program.join(' ')}" fails here: ${error?.message ?? stderr.trim()}`
}
