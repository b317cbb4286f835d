import type { Rehearsal } from '../../server/rehearsal.ts'

export interface KeptRehearsal extends Rehearsal {
  functionNames: string[]
}

const storedAs = 'carillon-rehearsal'

/** A reload of the tab continues its rehearsal. The keys in it are temporary, and of its two people only. */
export function keepRehearsal(rehearsal: KeptRehearsal | undefined): void {
  if (rehearsal) sessionStorage.setItem(storedAs, JSON.stringify(rehearsal))
  else sessionStorage.removeItem(storedAs)
}

export function keptRehearsal(): KeptRehearsal | undefined {
  const text = sessionStorage.getItem(storedAs)
  if (text === null) return undefined
  const rehearsal: KeptRehearsal = JSON.parse(text)
  const hasExpired = rehearsal.Users.some(({ Expiration }) => expiryMs(Expiration) < Date.now())
  return hasExpired ? undefined : rehearsal
}

const expiryMs = (expiration: string | number) =>
  typeof expiration === 'number' ? expiration * 1000 : Date.parse(expiration)
