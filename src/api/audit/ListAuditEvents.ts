import Type from 'typebox'
import { optional, query } from '../../contract/binding.ts'
import { NextToken, Timestamp } from '../../contract/shapes.ts'
import { type AuditPosition, type AuditRow, listAudit, positionOf } from '../../store/audit.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { scopeOf } from '../keys/key-summary.ts'
import { pageMembers, readPage } from '../paging.ts'
import { epochSeconds, milliseconds } from '../times.ts'

const AuditEvent = Type.Object({
  Timestamp,
  /** `command line` for an act of `carillon keys`. */
  AccessKeyId: Type.String(),
  KeyName: optional(Type.String()),
  Action: Type.String(),
  Facts: Type.Record(Type.String(), Type.Unknown()),
  Address: optional(Type.String()),
  RequestId: optional(Type.String()),
})

/** What operators did, the oldest first. An operator of one AppInstance sees the acts in that. */
export const ListAuditEvents = operation({
  name: 'ListAuditEvents',
  service: 'carillon',
  http: 'GET /carillon/v1/audit 200',
  input: { ...pageMembers, NotBefore: query('not-before', optional(Timestamp)) },
  output: { AuditEvents: Type.Array(AuditEvent), NextToken: optional(NextToken) },
  errors: ['BadRequest'],
  resources: [],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const within = scopeOf(context.credentials)
    const { NotBefore = 0 } = input
    const { page, NextToken } = await readPage(context, input, {
      start: [Math.ceil(milliseconds(NotBefore)), 0] as AuditPosition,
      rowsAfter: (after, rowsMax) => listAudit(context.read, { after, rowsMax, within }),
      positionOf,
    })
    return { AuditEvents: page.map(auditEvent), NextToken }
  },
})

const auditEvent = (row: AuditRow) => ({
  Timestamp: epochSeconds(row.at),
  AccessKeyId: row.access_key_id,
  KeyName: row.key_name ?? undefined,
  Action: row.action,
  Facts: JSON.parse(row.facts_json) as Record<string, unknown>,
  Address: row.address ?? undefined,
  RequestId: row.request_id ?? undefined,
})
