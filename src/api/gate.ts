import { ApiError } from '../contract/api-error.ts'
import type { OperationFacts } from '../contract/operation.ts'
import type { Key } from '../keys/key.ts'
import { createRates, type RateName, type RateSettings } from './rates.ts'

/** A call with a valid signature, before its input is validated. */
interface SignedCall {
  operation: OperationFacts
  credentials: Key
  input: { ChannelArn?: unknown; ChimeBearer?: unknown }
}

/** Rejects a call if the key is suspended, the server is stopping, or a rate is exceeded. */
export type Gate = (call: SignedCall) => void

/** The calls that a server accepts: none before it is ready, and only verdicts while it is stopping. */
export type Phase = 'starting' | 'ready' | 'stopping'

interface Options {
  limits: 'off' | 'aws'
  /** Rates that differ from AWS's. */
  rates: RateSettings
  phase(): Phase
  now(): number
}

export function createGate({ limits, rates, phase: phaseNow, now }: Options): Gate {
  const exceededBy = limits === 'aws' ? createRates(now, rates) : undefined
  return (call) => {
    const { operation, credentials } = call
    if (credentials.suspended) throw new ApiError('Unauthorized', 'The access key is suspended')
    // Functions in flight may still send their verdict: it is durable, and avoids another attempt.
    const phase = phaseNow()
    if (phase === 'starting' || (phase === 'stopping' && !operation.whileStopping)) {
      throw new ApiError('ServiceUnavailable', `The server is ${phase}; try again`)
    }
    const exceeded = exceededBy?.(call)
    if (exceeded) throw new ApiError('Throttled', `Rate exceeded: ${textOf(exceeded, operation.name)}`)
  }
}

function textOf(rate: RateName, operationName: string): string {
  if (rate === 'bearer') return 'too many calls of this bearer'
  return rate === 'messages' ? 'too many messages and callbacks in this channel' : `${operationName} in this channel`
}
