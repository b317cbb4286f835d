import Type from 'typebox'
import { optional } from '../../contract/binding.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { listProcessors, withoutOutput } from './list-processors.ts'

const ProcessorSummary = Type.Object({
  FunctionName: Type.String(),
  Held: Type.Integer(),
  OldestSeconds: Type.Number(),
  Paused: Type.Boolean(),
  State: Type.Enum(['ready', 'broken', 'missing', 'unreachable', 'paused']),
  Error: optional(Type.String()),
  Calls: Type.Integer(),
  Errors: Type.Integer(),
  Waiting: Type.Integer(),
  AtProcessor: Type.Integer(),
  Places: Type.Integer(),
  LastOutput: Type.Array(Type.String()),
})

/** The functions that hold messages, are paused, or are known to this node; what each did is what it did on this node. */
export const ListProcessors = operation({
  name: 'ListProcessors',
  service: 'carillon',
  http: 'GET /carillon/v1/processors 200',
  input: {},
  output: { Processors: Type.Array(ProcessorSummary) },
  errors: [],
  resources: [],
  allow: byCredentialsAlone,
  async handle(_input, { read, now, processors, credentials: { grant } }) {
    const all = await listProcessors(read, processors, now())
    const isOperator = grant.kind === 'operator' && grant.role === 'operator'
    return { Processors: isOperator ? all : all.map(withoutOutput) }
  },
})
