import { conflict } from '../../contract/api-error.ts'
import { appInstanceUserArn } from '../../contract/arn.ts'
import { idempotencyToken, optional } from '../../contract/binding.ts'
import { ChimeArn, IdentityClientRequestToken, Metadata, UserId, UserName } from '../../contract/shapes.ts'
import { AppInstanceUserExpirationSettings } from '../../contract/structures/app-instance-users.ts'
import { TagList } from '../../contract/structures/tags.ts'
import { byCredentialsAlone } from '../access.ts'
import { requireAppInstance } from '../app-instances/app-instance.ts'
import { operation } from '../context.ts'
import { once } from '../idempotency.ts'
import { toJson, toJsonText } from '../json-text.ts'
import { putTags, requirePlainTags } from '../tags/tag.ts'
import { addUser } from './add-user.ts'
import { findUser, requireUser } from './app-instance-user.ts'
import { scheduleUserExpiration } from './user-expiration.ts'

/**
 * Sign-in hooks of AWS's samples call this at every login, so the same user with the same attributes is a success;
 * other attributes are a Conflict.
 */
export const CreateAppInstanceUser = operation({
  name: 'CreateAppInstanceUser',
  http: 'POST /app-instance-users 201',
  input: {
    AppInstanceArn: ChimeArn,
    AppInstanceUserId: UserId,
    Name: UserName,
    Metadata: optional(Metadata),
    ClientRequestToken: idempotencyToken(IdentityClientRequestToken),
    Tags: optional(TagList),
    ExpirationSettings: optional(AppInstanceUserExpirationSettings),
  },
  output: { AppInstanceUserArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['AppInstanceArn'],
  tokenScope: 'AppInstanceArn',
  audited: ['AppInstanceUserArn'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { AppInstanceArn, AppInstanceUserId } = input
    requirePlainTags(input.Tags)
    return once(input, context, async (transaction, now) => {
      await requireAppInstance(transaction, AppInstanceArn)
      const arn = appInstanceUserArn(AppInstanceArn, AppInstanceUserId)
      const name = toJsonText(input.Name)
      const metadata = toJson(input.Metadata)
      const existing = await findUser(transaction, arn)
      if (existing) {
        if (existing.name === name && existing.metadata === metadata) return { AppInstanceUserArn: arn }
        throw conflict(`The AppInstanceUser ${AppInstanceUserId} exists already, with other attributes`)
      }
      const expirationDays = input.ExpirationSettings?.ExpirationDays
      await addUser(transaction, { arn, appInstanceArn: AppInstanceArn, name, metadata, expirationDays }, now)
      if (input.ExpirationSettings) {
        await scheduleUserExpiration(transaction, await requireUser(transaction, arn))
      }
      await putTags(transaction, arn, input.Tags)
      return { AppInstanceUserArn: arn }
    })
  },
})
