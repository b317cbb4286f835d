import { forbidden } from '../../contract/api-error.ts'
import { path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { cancelWork, scheduleWork } from '../../store/work.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'

/** The tables with few rows of an AppInstance. Background work deletes its channels and users. */
export const fewOfAppInstance = ['app_instance_admin', 'channel_flow', 'retention', 'app_instance']

/** From then on no user can act in the AppInstance, because every call reads it with the bearer. */
export const DeleteAppInstance = operation({
  name: 'DeleteAppInstance',
  http: 'DELETE /app-instances/{AppInstanceArn} 204',
  input: { AppInstanceArn: path(ChimeArn) },
  output: {},
  errors: ['BadRequest', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['AppInstanceArn'],
  audited: [],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn }, { store, now }) {
    return store.transaction(async (transaction) => {
      const work = { kind: 'remove-app-instance', subject: AppInstanceArn } as const
      await cancelWork(transaction, { kind: 'retention', subject: AppInstanceArn })
      await scheduleWork(transaction, work, now())
      await transaction.run(
        `DELETE FROM tag WHERE resource_arn = $1
           OR resource_arn IN (SELECT channel_flow_arn FROM channel_flow WHERE app_instance_arn = $1)`,
        AppInstanceArn,
      )
      let deleted = 0
      for (const table of fewOfAppInstance) {
        deleted = await transaction.run(`DELETE FROM ${table} WHERE app_instance_arn = $1`, AppInstanceArn)
      }
      if (deleted === 0) throw forbidden()
      return {}
    })
  },
})
