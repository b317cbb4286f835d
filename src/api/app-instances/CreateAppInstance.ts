import { appInstanceArn } from '../../contract/arn.ts'
import { idempotencyToken, optional } from '../../contract/binding.ts'
import { ChimeArn, IdentityClientRequestToken, Metadata, NonEmptyResourceName } from '../../contract/shapes.ts'
import { TagList } from '../../contract/structures.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { once } from '../idempotency.ts'
import { toJson, toJsonText } from '../json-text.ts'
import { requireWithinQuota } from '../quotas.ts'
import { insertTags, readExtensionTags } from '../tags.ts'

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
  allow: byCredentialsAlone,
  async handle(input, context) {
    readExtensionTags(input.Tags, {})
    const call = {
      operation: 'CreateAppInstance',
      scope: '',
      caller: context.credentials.accessKeyId,
      token: input.ClientRequestToken,
      parameters: input,
    }
    return once(context, call, async (transaction) => {
      const arn = appInstanceArn(context.place, context.newId())
      await transaction.run(
        'INSERT INTO app_instance VALUES ($1, $2, $3, $4, $4)',
        arn,
        toJsonText(input.Name),
        toJson(input.Metadata),
        context.now(),
      )
      await requireWithinQuota(transaction, 'appInstances', 'FROM app_instance')
      await insertTags(transaction, arn, input.Tags)
      return { AppInstanceArn: arn }
    })
  },
})
