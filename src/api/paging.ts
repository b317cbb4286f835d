import { createHmac, timingSafeEqual } from 'node:crypto'
import { badRequest } from '../contract/api-error.ts'
import type { Services } from './context.ts'

/** How many a page holds when the caller does not say. */
export const pageDefault = 50

/** The list that a token belongs to: the operation, and every parameter that shapes the list. */
export type List = readonly (string | number | undefined)[]

/** An opaque token that goes on after `position`, in this list and in no other. It survives a restart. */
export function writeNextToken(
  { tokenKey }: Pick<Services, 'tokenKey'>,
  list: List,
  position: number | string,
): string {
  const text = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${text}.${sign(tokenKey, list, text).toString('base64url')}`
}

/** The position in a NextToken, or undefined without one. Throws a BadRequest for a token that is not of this list. */
export function readNextToken<Position extends number | string>(
  { tokenKey }: Pick<Services, 'tokenKey'>,
  list: List,
  token: string | undefined,
): Position | undefined {
  if (token === undefined) return undefined
  const [text = '', signature = ''] = token.split('.')
  const expected = sign(tokenKey, list, text)
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw badRequest(
      'The NextToken does not belong to this list: repeat the call that gave it, with the same parameters',
    )
  }
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as Position
}

/** A page from rows of which one more than the page was read: that one tells that the list goes on. */
export function pageOf<Row>(rows: Row[], size: number): { page: Row[]; last: Row | undefined } {
  const page = rows.slice(0, size)
  return { page, last: rows.length > size ? page.at(-1) : undefined }
}

const sign = (key: string, list: List, text: string) =>
  createHmac('sha256', key)
    .update(JSON.stringify([list, text]))
    .digest()
