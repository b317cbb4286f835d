import { optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { AppInstanceUserExpirationSettings } from '../../contract/structures/app-instance-users.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { requireUser } from './app-instance-user.ts'
import { scheduleUserExpiration } from './user-expiration.ts'

/** Without settings the user never expires. */
export const PutAppInstanceUserExpirationSettings = operation({
  name: 'PutAppInstanceUserExpirationSettings',
  http: 'PUT /app-instance-users/{AppInstanceUserArn}/expiration-settings 200',
  input: {
    AppInstanceUserArn: path(ChimeArn),
    ExpirationSettings: optional(AppInstanceUserExpirationSettings),
  },
  output: {
    AppInstanceUserArn: optional(ChimeArn),
    ExpirationSettings: optional(AppInstanceUserExpirationSettings),
  },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['AppInstanceUserArn'],
  audited: ['ExpirationSettings'],
  allow: byCredentialsAlone,
  async handle({ AppInstanceUserArn, ExpirationSettings }, { store }) {
    const expiration_days = ExpirationSettings?.ExpirationDays ?? null
    return store.transaction(async (transaction) => {
      const user = await requireUser(transaction, AppInstanceUserArn)
      const text = 'UPDATE app_instance_user SET expiration_days = $2 WHERE user_id = $1'
      await transaction.run(text, user.user_id, expiration_days)
      await scheduleUserExpiration(transaction, { ...user, expiration_days })
      return { AppInstanceUserArn, ExpirationSettings }
    })
  },
})
