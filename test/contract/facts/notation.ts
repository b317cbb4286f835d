/*
 * What AWS's API references of Amazon Chime SDK messaging (2021-05-15) and identity (2021-04-20) say of all 78 operations
 * and of their structures, by resource. They are here before an operation is written: what is written is compared with
 * what somebody else entered.
 */

/**
 * Members and their shapes. `!` stands behind the shape of a required member, `*` behind that of an idempotency token, which
 * clients fill in. In front stands where the member of an input travels, if not in the body: `path`, or `query` or `header`
 * with the name that it has there.
 */
export type MemberFacts = Record<string, string>

export interface OperationFact {
  /** Method, path with labels, literal query if any, and the status of success. */
  http: string
  input: MemberFacts
  output: MemberFacts
  /** Besides those that every operation may return. */
  errors: string[]
}

export type Operations = Record<string, OperationFact>
export type Structures = Record<string, MemberFacts>

export interface MemberFact {
  /** As in WireOperation: `path`, `query max-results`, `header x-amz-chime-bearer` or `body`. */
  travels: string
  shape: string
  required: boolean
  idempotencyToken: boolean
}

export function readMember(text: string): MemberFact {
  const [, travels = 'body', shape, mark] = /^(?:(path|(?:query|header) [a-z-]+) )?(\w+)([!*]?)$/.exec(text) ?? []
  if (shape === undefined) throw new Error(`'${text}' is not in the notation of notation.ts`)
  return { travels, shape, required: mark === '!', idempotencyToken: mark === '*' }
}
