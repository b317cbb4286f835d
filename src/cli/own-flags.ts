import { ConfigError } from '../config.ts'

/** What follows a flag. */
type Form = 'value' | 'perhaps a value' | 'no value'

/**
 * Takes a command's own flags out of its arguments; the others are settings. The text of a flag without a value is empty.
 * Throws a ConfigError if a value is missing: another flag is none.
 */
export function takeFlags<Name extends string>(
  args: string[],
  known: Readonly<Record<Name, Form>>,
): { flags: Partial<Record<Name, string>>; others: string[] } {
  const flags: Partial<Record<Name, string>> = {}
  const others: string[] = []
  const rest = [...args]
  while (rest.length > 0) {
    const arg = rest.shift()!
    if (!isKnown(arg, known)) {
      others.push(arg)
      continue
    }
    const hasValue = known[arg] !== 'no value' && rest[0] !== undefined && !rest[0].startsWith('--')
    if (known[arg] === 'value' && !hasValue) throw new ConfigError([`${arg} needs a value`])
    flags[arg] = hasValue ? rest.shift()! : ''
  }
  return { flags, others }
}

const isKnown = <Name extends string>(arg: string, known: Readonly<Record<Name, unknown>>): arg is Name =>
  Object.hasOwn(known, arg)
