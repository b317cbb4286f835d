import { distance } from 'fastest-levenshtein'

const namesMax = 3
/** Shorter words are the beginning of too many others. */
const prefixLengthMin = 3
/** The cost of a part that was typed only in part, and of one that was left out. */
const prefixCost = 0.5
const missingCost = 0.01

/**
 * The suggestion in a message about an unknown name: `; the nearest one is --http-port`. Names are compared as a whole
 * and by the parts between dashes or underscores, so that `--prot` leads to `--http-port` and not to `--host`. Empty if
 * no name is near.
 */
export function nearest(name: string, known: string[]): string {
  const near = nearNames(name, known)
  if (near.length === 0) return ''
  return near.length === 1 ? `; the nearest one is ${near[0]}` : `; near ones are ${near.join(', ')}`
}

/** The nearest names, the best first, up to three. */
function nearNames(name: string, known: string[]): string[] {
  const rated = known.map((candidate) => ({ candidate, cost: cost(name, candidate) }))
  const best = Math.min(...rated.map(({ cost }) => cost))
  if (best === Number.POSITIVE_INFINITY) return []
  const near = rated.filter(({ cost }) => Math.floor(cost) === Math.floor(best)).sort((a, b) => a.cost - b.cost)
  return near.slice(0, namesMax).map(({ candidate }) => candidate)
}

function cost(name: string, candidate: string): number {
  const [typed, parts] = [partsOf(name), partsOf(candidate)]
  const inParts = typed.reduce((sum, word) => sum + Math.min(...parts.map((part) => partCost(word, part))), 0)
  const left = Math.max(0, parts.length - typed.length)
  return Math.min(typos(typed.join(''), parts.join('')), typed.length > 0 ? inParts + left * missingCost : Infinity)
}

/** Also if one word was typed instead of two: `--dataDir`. */
const partsOf = (name: string) => name.toLowerCase().split(/[-_]+/).filter(Boolean)

function partCost(word: string, part: string): number {
  const typing = typos(word, part)
  if (typing === 0) return 0
  return word.length >= prefixLengthMin && part.startsWith(word) ? prefixCost : typing
}

/** Infinite if more than a third of the typed letters differ. Two swapped letters are one mistake. */
function typos(typed: string, right: string): number {
  const changes = distance(typed, right)
  const mistakes = changes === 2 && sorted(typed) === sorted(right) ? 1 : changes
  return mistakes <= typed.length / 3 ? mistakes : Number.POSITIVE_INFINITY
}

const sorted = (text: string) => [...text].sort().join('')
