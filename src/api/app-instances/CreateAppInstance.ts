import { appInstanceArn } from '../../contract/arn.ts'
import { idempotencyToken, optional } from '../../contract/binding.ts'
import { ChimeArn, IdentityClientRequestToken, Metadata, NonEmptyResourceName } from '../../contract/shapes.ts'
import { TagList } from '../../contract/structures/tags.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { once } from '../idempotency.ts'
import { toJson, toJsonText } from '../json-text.ts'
import { requireFew } from '../quotas.ts'
import { putTags, requirePlainTags } from '../tags/tag.ts'
import type { AppInstanceRow } from './app-instance.ts'

export const CreateAppInstance = operation({
  name: 'CreateAppInstance',
  http: 'POST /app-instances 201',
  input: {
    Name: NonEmptyResourceName,
    Metadata: optional(Metadata),
    ClientRequestToken: idempotencyToken(IdentityClientRequestToken),
    Tags: optional(TagList),
  },
  output: { AppInstanceArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: [],
  tokenScope: 'caller',
  audited: ['AppInstanceArn', 'Tags'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    requirePlainTags(input.Tags)
    return once(input, context, async (transaction, now) => {
      const arn = appInstanceArn(context.location, context.newId())
      await transaction.insert<AppInstanceRow>('app_instance', {
        app_instance_arn: arn,
        name: toJsonText(input.Name),
        metadata: toJson(input.Metadata),
        users: 0,
        created_at: now,
        updated_at: now,
      })
      await requireFew(transaction, 'appInstances', 'FROM app_instance')
      await putTags(transaction, arn, input.Tags)
      return { AppInstanceArn: arn }
    })
  },
})
