import { createHmac, timingSafeEqual } from 'node:crypto'
import { badRequest } from '../contract/api-error.ts'
import { optional, query } from '../contract/binding.ts'
import { MaxResults, NextToken } from '../contract/shapes.ts'
import type { Context } from './context.ts'

/** The size of a page without MaxResults. */
const pageDefault = 50

/** The paging members of a caller's input. */
export interface PageInput {
  MaxResults?: number
  NextToken?: string
}

/** A list in the order of its rows' positions: an ARN, or a number in the channel's log. */
interface List<Row, Position> {
  /** Every row of the list comes after this position. */
  start: Position
  /** The first rows after the position, at most `rowsMax`. */
  rowsAfter(position: Position, rowsMax: number): Promise<Row[]>
  positionOf(row: Row): Position
  /** Where `rowsAfter` has stopped, if it has looked at as many rows as it may and found fewer than asked. */
  searchedTo?(): Position | undefined
}

/** The members of every list's input. */
export const pageMembers = {
  MaxResults: query('max-results', optional(MaxResults)),
  NextToken: query('next-token', optional(NextToken)),
}

/**
 * One page of the list, with the NextToken of the following page if there is one. Throws a BadRequest for a NextToken of
 * another operation, or of a call with other parameters. Tokens survive a restart.
 */
export async function readPage<Row, Position>(
  { tokenKey, operation }: Pick<Context, 'tokenKey' | 'operation'>,
  { MaxResults: size = pageDefault, NextToken: token, ...parameters }: PageInput,
  { start, rowsAfter, positionOf, searchedTo }: List<Row, Position>,
): Promise<{ page: Row[]; NextToken: string | undefined }> {
  const sign: Sign = (text) =>
    createHmac('sha256', tokenKey)
      .update(JSON.stringify([operation.name, parameters, text]))
      .digest()
  // Loops over pages may start with an empty token: the model allows it.
  const position = token === undefined || token === '' ? start : (readToken(token, sign) as Position)
  // One further row shows that the list continues.
  const rows = await rowsAfter(position, size + 1)
  const page = rows.slice(0, size)
  const last = rows.length > size ? page.at(-1) : undefined
  const next = last === undefined ? searchedTo?.() : positionOf(last)
  return { page, NextToken: next === undefined ? undefined : writeToken(next, sign) }
}

type Sign = (text: string) => Buffer

function writeToken(position: unknown, sign: Sign): string {
  const text = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${text}.${sign(text).toString('base64url')}`
}

function readToken(token: string, sign: Sign): unknown {
  const [text = '', signature = ''] = token.split('.')
  const expected = sign(text)
  const given = Buffer.from(signature, 'base64url')
  if (given.length === expected.length && timingSafeEqual(given, expected)) {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  }
  throw badRequest('The NextToken does not belong to this list: repeat the call that gave it, with the same parameters')
}
