import { ApiError } from '../contract/api-error.ts'
import type { OperationFacts } from '../contract/operation.ts'
import type { Key } from '../keys/key.ts'
import { createRates } from './rates.ts'

/** A call whose signature is good, before its input is looked at. */
interface SignedCall {
  operation: OperationFacts
  credentials: Key
  input: { ChannelArn?: unknown }
}

/** Throws if the call may not go on: the key is suspended, the server is stopping, the channel's rate is exceeded. */
export type Gate = (call: SignedCall) => void

/** What a server takes: nothing before it is ready, and of a stopping one's calls only the verdicts. */
export type Phase = 'starting' | 'ready' | 'stopping'

export function createGate(options: { limits: 'off' | 'aws'; phase(): Phase; now(): number }): Gate {
  const mayPass = options.limits === 'aws' ? createRates(options.now) : () => true
  return ({ operation, credentials, input }) => {
    if (credentials.suspended) throw new ApiError('Unauthorized', 'The access key is suspended')
    // Functions at work may still give their verdict: what they decide is durable, and spares them another attempt.
    const phase = options.phase()
    if (phase === 'starting' || (phase === 'stopping' && !operation.whileStopping)) {
      throw new ApiError('ServiceUnavailable', `The server is ${phase}; try again`)
    }
    if (operation.rate === 'channelWrites' && !mayPass(String(input.ChannelArn))) {
      throw new ApiError('Throttled', 'Rate exceeded: too many messages and callbacks in this channel')
    }
  }
}
