import Type from 'typebox'
import { path } from '../../contract/binding.ts'
import { pauseFunction } from '../../flow/paused-functions.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { FunctionName } from './function-name.ts'

/** Invokes the function no more, on any node, until it is resumed: its messages wait, and their deadlines continue. */
export const PauseProcessor = operation({
  name: 'PauseProcessor',
  service: 'carillon',
  http: 'POST /carillon/v1/processors/{FunctionName}?operation=pause 200',
  input: { FunctionName: path(FunctionName) },
  output: { Changed: Type.Boolean() },
  errors: ['BadRequest'],
  resources: [],
  audited: ['FunctionName'],
  allow: byCredentialsAlone,
  async handle({ FunctionName: name }, { store, now }) {
    const at = now()
    return { Changed: await store.transaction((transaction) => pauseFunction(transaction, name, at)) }
  },
})
