import { ConfigError } from '../config.ts'

/** Takes a command's own flags out of its arguments; the others are settings. Throws a ConfigError if a value is missing. */
export function takeFlags<Name extends string>(
  args: string[],
  known: Record<Name, 'value' | 'no value'>,
): { flags: Partial<Record<Name, string>>; others: string[] } {
  const flags: Partial<Record<Name, string>> = {}
  const others: string[] = []
  const rest = [...args]
  while (rest.length > 0) {
    const arg = rest.shift()!
    if (!isKnown(arg, known)) others.push(arg)
    else if (known[arg] === 'no value') flags[arg] = ''
    else {
      const value = rest.shift()
      if (value === undefined) throw new ConfigError([`${arg} needs a value`])
      flags[arg] = value
    }
  }
  return { flags, others }
}

const isKnown = <Name extends string>(arg: string, known: Record<Name, unknown>): arg is Name =>
  Object.hasOwn(known, arg)
