import { spawnSync } from 'node:child_process'

/** Why `setpriv` cannot start a program so: a container may lack the capability, or the machine the program. */
export function setprivRefusal(options: string[], program: string[] = ['true']): string | false {
  const { error, status, stderr } = spawnSync('setpriv', [...options, ...program], { encoding: 'utf8' })
  if (status === 0) return false
  return `"setpriv ${options.join(' ')} ${program.join(' ')}" fails here: ${error?.message ?? stderr.trim()}`
}
