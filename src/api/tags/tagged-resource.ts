import { forbidden } from '../../contract/api-error.ts'
import { type ParsedArn, parseArn } from '../../contract/arn.ts'
import type { Reader } from '../../store/store.ts'
import { requireUser } from '../app-instance-users/app-instance-user.ts'
import { requireAppInstance } from '../app-instances/app-instance.ts'
import { channelFlowTags, requireChannelFlow } from '../channel-flows/channel-flow.ts'
import type { ExtensionTags } from './tag.ts'

/** A kind of resource that can have tags. */
interface TaggedKind {
  /** Throws a Forbidden if there is no such resource. */
  require(read: Reader, arn: string): Promise<unknown>
  extensions: ExtensionTags
}

const user: TaggedKind = { require: requireUser, extensions: {} }

const kinds: Record<ParsedArn['kind'], TaggedKind> = {
  'app-instance': { require: requireAppInstance, extensions: {} },
  user,
  bot: user,
  channel: { require: requireChannelArn, extensions: {} },
  'channel-flow': { require: requireChannelFlow, extensions: channelFlowTags },
}

/** The kind that the ARN names. Throws a Forbidden for an ARN that this API does not have. */
export function taggedKind(arn: string): TaggedKind {
  const parsed = parseArn(arn)
  if (!parsed) throw forbidden()
  return kinds[parsed.kind]
}

async function requireChannelArn(read: Reader, arn: string): Promise<void> {
  const text = 'SELECT 1 FROM channel_head WHERE channel_arn = $1 AND deleted_at IS NULL'
  if (!(await read.get(text, arn))) throw forbidden()
}
