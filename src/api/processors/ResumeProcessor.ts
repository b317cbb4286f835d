import Type from 'typebox'
import { path } from '../../contract/binding.ts'
import { resumeFunction } from '../../flow/paused-functions.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { FunctionName } from './function-name.ts'

/** Ends a pause: the messages that have waited are handed to the function, the oldest first. */
export const ResumeProcessor = operation({
  name: 'ResumeProcessor',
  service: 'carillon',
  http: 'POST /carillon/v1/processors/{FunctionName}?operation=resume 200',
  input: { FunctionName: path(FunctionName) },
  output: { Changed: Type.Boolean() },
  errors: ['BadRequest'],
  resources: [],
  audited: ['FunctionName'],
  allow: byCredentialsAlone,
  async handle({ FunctionName: name }, { store }) {
    return { Changed: await store.transaction((transaction) => resumeFunction(transaction, name)) }
  },
})
