import { ApiError } from '../contract/api-error.ts'
import type { OperationFacts } from '../contract/operation.ts'
import type { Key } from '../keys/key.ts'
import { createRates } from './rates.ts'

/** A call with a valid signature, before its input is read. */
interface SignedCall {
  operation: OperationFacts
  credentials: Key
  input: { ChannelArn?: unknown }
}

/** Rejects a call if the key is suspended, the server is stopping, or the channel's rate is exceeded. */
export type Gate = (call: SignedCall) => void

/** The calls that a server accepts: none before it is ready, and only verdicts while it is stopping. */
export type Phase = 'starting' | 'ready' | 'stopping'

export function createGate(options: { limits: 'off' | 'aws'; phase(): Phase; now(): number }): Gate {
  const mayPass = options.limits === 'aws' ? createRates(options.now) : () => true
  return ({ operation, credentials, input }) => {
    if (credentials.suspended) throw new ApiError('Unauthorized', 'The access key is suspended')
    // Functions in flight may still send their verdict: it is durable, and avoids another attempt.
    const phase = options.phase()
    if (phase === 'starting' || (phase === 'stopping' && !operation.whileStopping)) {
      throw new ApiError('ServiceUnavailable', `The server is ${phase}; try again`)
    }
    if (operation.rate === 'channelWrites' && !mayPass(String(input.ChannelArn))) {
      throw new ApiError('Throttled', 'Rate exceeded: too many messages and callbacks in this channel')
    }
  }
}
