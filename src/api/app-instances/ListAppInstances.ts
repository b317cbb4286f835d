import Type from 'typebox'
import { optional } from '../../contract/binding.ts'
import { NextToken } from '../../contract/shapes.ts'
import { AppInstanceSummary } from '../../contract/structures/app-instances.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { type AppInstanceRow, appInstanceSummary } from './app-instance.ts'

/** In the order of the ARNs: AWS documents no order, and this one never changes. */
export const ListAppInstances = operation({
  name: 'ListAppInstances',
  http: 'GET /app-instances 200',
  input: { ...pageMembers },
  output: { AppInstances: optional(Type.Array(AppInstanceSummary)), NextToken: optional(NextToken) },
  errors: ['BadRequest', 'Forbidden'],
  resources: [],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { page, NextToken } = await readPage(context, input, {
      start: '',
      rowsAfter: (arn, rowsMax) =>
        context.read.all<AppInstanceRow>(
          'SELECT * FROM app_instance WHERE app_instance_arn > $1 ORDER BY app_instance_arn LIMIT $2',
          arn,
          rowsMax,
        ),
      positionOf: (appInstance) => appInstance.app_instance_arn,
    })
    return { AppInstances: page.map(appInstanceSummary), NextToken }
  },
})
