import Type from 'typebox'
import { readPausedFunctions } from '../../flow/paused-functions.ts'
import { readPending } from '../../flow/pending.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'

/** So many functions are listed one by one; the last entry has the sum of the others. */
const namedMax = 1_000

const ProcessorSummary = Type.Object({
  FunctionName: Type.String(),
  Held: Type.Integer(),
  OldestSeconds: Type.Number(),
  Paused: Type.Boolean(),
})

/** The functions that hold messages or are paused, the one with the oldest message first. */
export const ListProcessors = operation({
  name: 'ListProcessors',
  service: 'carillon',
  http: 'GET /carillon/v1/processors 200',
  input: {},
  output: { Processors: Type.Array(ProcessorSummary) },
  errors: [],
  resources: [],
  allow: byCredentialsAlone,
  async handle(_input, { read, now }) {
    const paused = await readPausedFunctions(read)
    const pending = await readPending(read, now(), namedMax)
    const idle = paused.filter((name) => !pending.some(({ processor }) => processor === name))
    const held = pending.map(({ processor, messages, oldestSeconds }) => ({
      FunctionName: processor,
      Held: messages,
      OldestSeconds: oldestSeconds,
      Paused: paused.includes(processor),
    }))
    const empty = { Held: 0, OldestSeconds: 0, Paused: true }
    return { Processors: [...held, ...idle.map((FunctionName) => ({ FunctionName, ...empty }))] }
  },
})
