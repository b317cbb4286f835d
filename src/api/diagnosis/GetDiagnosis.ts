import Type from 'typebox'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { scopeOf } from '../keys/key-summary.ts'
import { Finding } from './finding.ts'
import { channelsWithoutFlow, flowsWithoutFunction, silentProcessors } from './flow-findings.ts'

/**
 * What is wrong with the flows, the processors and the machine of this node. The server itself looks: only it knows its
 * functions and the limits of its process. An operator of one AppInstance sees what is wrong in that.
 */
export const GetDiagnosis = operation({
  name: 'GetDiagnosis',
  service: 'carillon',
  http: 'GET /carillon/v1/diagnosis 200',
  input: {},
  output: { Findings: Type.Array(Finding) },
  errors: [],
  resources: [],
  allow: byCredentialsAlone,
  async handle(_input, { read, credentials, machine, now }) {
    const within = scopeOf(credentials)
    const parts = { read, now: now(), within }
    const found = [
      await channelsWithoutFlow(parts),
      await flowsWithoutFunction(parts, machine.isFunctionAbsent),
      await silentProcessors(parts),
      within === undefined ? await machine.problems() : [],
    ]
    return { Findings: found.flat() }
  },
})
