import Type from 'typebox'
import { path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { resumeUser } from '../../keys/access-keys.ts'
import { byCredentialsAlone } from '../access.ts'
import { requireUser } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'

/** Ends the suspension of a user. Temporary keys that were issued before stay ended. */
export const ResumeUser = operation({
  name: 'ResumeUser',
  service: 'carillon',
  http: 'POST /carillon/v1/users/{AppInstanceUserArn}?operation=resume 200',
  input: { AppInstanceUserArn: path(ChimeArn) },
  output: { Changed: Type.Boolean() },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['AppInstanceUserArn'],
  audited: [],
  allow: byCredentialsAlone,
  async handle({ AppInstanceUserArn }, { store, now }) {
    const at = now()
    const Changed = await store.transaction(async (transaction) => {
      await requireUser(transaction, AppInstanceUserArn)
      return resumeUser(transaction, AppInstanceUserArn, at)
    })
    return { Changed }
  },
})
