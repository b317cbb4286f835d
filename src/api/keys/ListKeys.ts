import Type from 'typebox'
import { optional } from '../../contract/binding.ts'
import { NextToken } from '../../contract/shapes.ts'
import { type KeyPosition, listAccessKeys, positionOf } from '../../keys/access-keys.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { KeySummary } from './key-shapes.ts'
import { keySummary, scopeOf } from './key-summary.ts'

/** The keys with a row, the oldest first, without secrets. The root key is not among them. */
export const ListKeys = operation({
  name: 'ListKeys',
  service: 'carillon',
  http: 'GET /carillon/v1/keys 200',
  input: pageMembers,
  output: { Keys: Type.Array(KeySummary), NextToken: optional(NextToken) },
  errors: ['BadRequest'],
  resources: [],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const within = scopeOf(context.credentials)
    const { page, NextToken } = await readPage(context, input, {
      start: [0, ''] as KeyPosition,
      rowsAfter: (after, keysMax) => listAccessKeys(context.read, { after, keysMax, within }),
      positionOf,
    })
    return { Keys: page.map(keySummary), NextToken }
  },
})
