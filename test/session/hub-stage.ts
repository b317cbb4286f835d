import type { Envelope } from '../../src/bus/bus.ts'
import { memoryBus } from '../../src/bus/memory.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { Hub } from '../../src/session/hub.ts'
import type { Subscriber } from '../../src/session/hub-members.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ModelLog } from './model-log.ts'
import { readFrame } from './read-frame.ts'

/** A session that remembers what it was given. */
export class Listening implements Subscriber {
  readonly userArn: string
  readonly userId: number
  readonly heard: Buffer[] = []
  hasEnded = false

  constructor(userArn: string, userId = 1) {
    this.userArn = userArn
    this.userId = userId
  }

  userDeleted(): void {
    this.hasEnded = true
  }

  deliver(frame: Buffer): void {
    this.heard.push(frame)
  }

  get texts(): string[] {
    return this.heard.map(readFrame)
  }
}

/** A hub with a bus of its own, a channel log, and the channels with these members. */
export function startHub(channels: Record<string, string[]> = {}) {
  const bus = memoryBus()
  const clock = new ManualClock()
  const channelLog = new ModelLog()
  const warnings: object[] = []
  const log = { ...silentLog, warn: (fields: object, text: string) => void warnings.push({ ...fields, text }) }
  const hub = new Hub<Listening>({ bus, channelLog, clock, log })
  for (const [channelArn, members] of Object.entries(channels)) channelLog.open(channelArn, members)
  const register = async (userArn: string, userId?: number) => {
    const session = new Listening(userArn, userId)
    await hub.register(session)
    return session
  }
  const publish = (...envelopes: Envelope[]) => bus.publish(envelopes)
  /** As when the bus of one process brings it: committed, then published. */
  const tell = (channelArn: string, frame: string, more: Partial<Envelope> = {}) =>
    publish(channelLog.commit(channelArn, frame, more))
  return { bus, clock, channelLog, warnings, hub, register, publish, tell }
}
