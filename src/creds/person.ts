import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { Metadata, UserId, UserName } from '../contract/shapes.ts'
import { describeViolations, violationsOf } from '../contract/violations.ts'

/** Somebody who has signed in, in the form of AWS's chat sample. */
const Person = Type.Object({ uuid: UserId, displayName: UserName, metadata: Type.Optional(Metadata) })

export type Person = Static<typeof Person>

/**
 * Returns the person that the value of an Authorization header stands for, or undefined if it stands for no one. Rejects
 * with an Unidentified if that cannot be found out because of the token, and with any other error if it cannot be found
 * out now.
 */
export type WhoIs = (authorization: string) => Promise<Person | undefined>

/** The attempt to identify a person has failed. The message has no part of the token. */
export class Unidentified extends Error {}

const validator = Compile(Person)

/** The person that a function has returned; undefined for null. Throws an Unidentified if it is neither. */
export function personOf(returned: unknown): Person | undefined {
  if (returned === null || returned === undefined) return undefined
  const { metadata, ...rest } = Object(returned)
  const person = { ...rest, ...(metadata !== null && metadata !== undefined && { metadata }) }
  if (!validator.Check(person)) throw new Unidentified(describeViolations(violationsOf(validator, person)))
  return { uuid: person.uuid, displayName: person.displayName, ...(person.metadata && { metadata: person.metadata }) }
}
