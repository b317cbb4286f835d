import { badRequest } from '../../contract/api-error.ts'
import type { Processor } from '../../contract/structures/channel-flows.ts'
import type { Tag } from '../../contract/structures/tags.ts'
import type { FlowProcessor } from '../../flow/decision.ts'
import { attemptsKept, doubledPauseMsMax, type ProcessorPolicy } from '../../flow/transition.ts'
import type { Transaction } from '../../store/store.ts'
import { type ExtensionTag, invalidTags, listTags } from '../tags/tag.ts'

/*
 * What an operator sets for the processors of a channel flow, in tags of the flow: `carillon:attempts` for all of them,
 * `carillon:attempts:2` for the one with the ExecutionOrder 2. Such a tag of one processor goes before that of all. They are
 * stored with the processors of the flow, so that each run has them in its snapshot.
 */

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** AWS's guide "Processor setup": the callback may come up to 48 hours later. */
const deadlineMsDefault = 48 * 3_600_000
const deadlineRange: DurationRange = { minMs: 100, maxMs: 30 * 86_400_000, text: 'from 100ms to 30d, such as 90s' }
const retryRange: DurationRange = { minMs: 100, maxMs: doubledPauseMsMax, text: 'from 100ms to 1h, such as 30s' }
/** As many as the timeline keeps. */
const attemptsMax = attemptsKept

/** Each reads the value of a tag. `key` is for the message of the BadRequest. */
const policyTags: Record<string, (key: string, text: string) => ProcessorPolicy> = {
  'carillon:deadline': (key, text) => ({ deadlineMs: readDuration(key, text, deadlineRange) }),
  'carillon:on-deadline': (key, text) => ({ onDeadline: readOnDeadline(key, text) }),
  'carillon:attempts': (key, text) => ({ attempts: readAttempts(key, text) }),
  'carillon:retry': (key, text) => ({ retryMs: readDuration(key, text, retryRange) }),
}

/** The ExecutionOrders that a processor can have. */
const orders = [1, 2, 3]

/** All tags of a channel flow, by their keys. */
export const channelFlowTags: Record<string, ExtensionTag<ProcessorPolicy>> = Object.fromEntries(
  ['', ...orders.map((order) => `:${order}`)].flatMap((suffix) =>
    Object.entries(policyTags).map(([name, read]) => {
      const key = name + suffix
      return [key, { read: (text: string) => read(key, text), absent: {}, apply: applyTags }]
    }),
  ),
)

interface DurationRange {
  minMs: number
  maxMs: number
  text: string
}

/** In milliseconds, from a text such as `500ms`, `30s` or `2h`. */
function readDuration(key: string, value: string, { minMs, maxMs, text }: DurationRange): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value) ?? []
  const ms = Number(number) * (unitMs[unit ?? ''] ?? Number.NaN)
  if (ms >= minMs && ms <= maxMs) return Math.round(ms)
  throw invalidTags('tags', `${key} must be a number with ms, s, m, h or d, ${text}`)
}

function readOnDeadline(key: string, value: string): 'fail' | 'continue' {
  if (value === 'fail' || value === 'continue') return value
  throw invalidTags('tags', `${key} must be fail or continue`)
}

function readAttempts(key: string, value: string): number {
  if (/^\d$/.test(value) && Number(value) >= 1 && Number(value) <= attemptsMax) return Number(value)
  throw invalidTags('tags', `${key} must be a whole number from 1 to ${attemptsMax}`)
}

/**
 * The columns of a flow with these processors and tags. Throws a BadRequest if a tag is for a processor that the flow does
 * not have.
 */
export function policyColumns(
  processors: readonly Processor[],
  tags: readonly Tag[] = [],
): { processors_json: string; deadline_ms: number } {
  const settings = tags.flatMap(({ Key, Value }) => {
    const setting = channelFlowTags[Key]?.read(Value)
    const order = orders.find((order) => Key.endsWith(`:${order}`))
    return setting ? [{ key: Key, order, setting }] : []
  })
  for (const { key, order } of settings) {
    if (order === undefined || processors.some(({ ExecutionOrder }) => ExecutionOrder === order)) continue
    throw badRequest(`The tag ${key} is for the processor with the executionOrder ${order}, and the flow has none`)
  }
  const ofOrder = (order: number | undefined): ProcessorPolicy =>
    Object.assign({}, ...settings.filter((one) => one.order === order).map(({ setting }) => setting))
  const { deadlineMs = deadlineMsDefault, ...ofAll } = ofOrder(undefined)
  const withPolicy = (processor: Processor): FlowProcessor => {
    const Policy = { ...ofAll, ...ofOrder(processor.ExecutionOrder) }
    return Object.keys(Policy).length === 0 ? processor : { ...processor, Policy }
  }
  const processors_json = JSON.stringify(processors.map(withoutPolicy).map(withPolicy))
  return { processors_json, deadline_ms: deadlineMs }
}

/** A processor as the API has it. */
export function withoutPolicy({ Policy: _, ...processor }: FlowProcessor): Processor {
  return processor
}

/** The flow's row after a change of its tags. */
async function applyTags(transaction: Transaction, channelFlowArn: string): Promise<void> {
  const text = 'SELECT processors_json FROM channel_flow WHERE channel_flow_arn = $1'
  const flow = await transaction.get<{ processors_json: string }>(text, channelFlowArn)
  if (!flow) return
  const processors = JSON.parse(flow.processors_json) as Processor[]
  const columns = policyColumns(processors, await listTags(transaction, channelFlowArn))
  await transaction.run(
    'UPDATE channel_flow SET processors_json = $2, deadline_ms = $3 WHERE channel_flow_arn = $1',
    channelFlowArn,
    columns.processors_json,
    columns.deadline_ms,
  )
}
