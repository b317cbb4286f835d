import { forbidden } from '../../contract/api-error.ts'
import { type ParsedArn, parseArn } from '../../contract/arn.ts'
import type { Reader, Transaction } from '../../store/store.ts'
import { appInstanceTags } from '../app-instances/flow-policy.ts'
import { channelFlowTags } from '../channel-flows/channel-flow-tags.ts'
import type { ExtensionTags } from './tag.ts'

/** A kind of resource that can have tags. */
interface TaggedKind {
  /** The table of the resources, and the column with their ARNs. */
  table: string
  arn: string
  /** Whether the row of a deleted resource stays. */
  keepsDeleted?: true
  extensions: ExtensionTags
}

const user: TaggedKind = {
  table: 'app_instance_user',
  arn: 'app_instance_user_arn',
  keepsDeleted: true,
  extensions: {},
}

const kinds: Record<ParsedArn['kind'], TaggedKind> = {
  'app-instance': { table: 'app_instance', arn: 'app_instance_arn', extensions: appInstanceTags },
  user,
  bot: user,
  channel: { table: 'channel_head', arn: 'channel_arn', keepsDeleted: true, extensions: {} },
  'channel-flow': { table: 'channel_flow', arn: 'channel_flow_arn', extensions: channelFlowTags },
}

/** The kind that the ARN names. Throws a Forbidden for an ARN that this API does not have. */
export function taggedKind(arn: string): TaggedKind {
  const parsed = parseArn(arn)
  if (!parsed) throw forbidden()
  return kinds[parsed.kind]
}

const isIt = ({ arn, keepsDeleted }: TaggedKind) => `${arn} = $1${keepsDeleted ? ' AND deleted_at IS NULL' : ''}`

/** Throws a Forbidden if there is no such resource. */
export async function requireTagged(read: Reader, arn: string): Promise<void> {
  const kind = taggedKind(arn)
  if (!(await read.get(`SELECT 1 FROM ${kind.table} WHERE ${isIt(kind)}`, arn))) throw forbidden()
}

/**
 * The same, and locks the row until the end of the transaction: meanwhile the resource cannot be deleted with its tags, and no
 * other call can change them.
 */
export async function lockTagged(transaction: Transaction, arn: string): Promise<void> {
  const kind = taggedKind(arn)
  const locked = await transaction.run(`UPDATE ${kind.table} SET ${kind.arn} = ${kind.arn} WHERE ${isIt(kind)}`, arn)
  if (locked === 0) throw forbidden()
}
