import type { Rehearsal } from '../../server/rehearsal.ts'
import type { Conversation } from './conversation.ts'

export interface KeptRehearsal extends Rehearsal {
  functionNames: string[]
}

const storedAs = 'carillon-rehearsal'

/** A reload of the tab continues its rehearsal. The keys in it are temporary, and of its two people only. */
export function keepRehearsal(rehearsal: KeptRehearsal | undefined): void {
  sessionStorage.clear()
  if (rehearsal) sessionStorage.setItem(storedAs, JSON.stringify(rehearsal))
}

export function keptRehearsal(): KeptRehearsal | undefined {
  const text = sessionStorage.getItem(storedAs)
  if (text === null) return undefined
  const rehearsal: KeptRehearsal = JSON.parse(text)
  const hasExpired = rehearsal.Users.some(({ Expiration }) => Date.parse(Expiration) < Date.now())
  return hasExpired ? undefined : rehearsal
}

/** What a person has seen: the API lists no denied messages, and a reload must not lose them. */
export const keepConversation = (userArn: string, conversation: Conversation): void =>
  sessionStorage.setItem(conversationOf(userArn), JSON.stringify(conversation))

export const keptConversation = (userArn: string): Conversation =>
  JSON.parse(sessionStorage.getItem(conversationOf(userArn)) ?? '[]')

const conversationOf = (userArn: string) => `carillon-conversation ${userArn}`
