import { appInstanceOf } from '../contract/arn.ts'
import type { Committed } from '../store/store.ts'

/** Changed messages in one frame. Of more, the latest ones are sent: a page reads the rest where it shows them. */
const messagesMax = 200

/** A message whose status has changed. */
export interface ChangedMessage {
  messageId: string
  channelArn: string
  status: Status
  /** The time of the change, ISO 8601. */
  at: string
}

type Status = 'PENDING' | 'SENT' | 'DENIED' | 'FAILED' | 'REDACTED' | 'DELETED'

/** The kinds of events by which a message changes, as AWS names them. */
const statuses: Record<string, Status> = {
  PENDING_CREATE_CHANNEL_MESSAGE: 'PENDING',
  PENDING_UPDATE_CHANNEL_MESSAGE: 'PENDING',
  CREATE_CHANNEL_MESSAGE: 'SENT',
  UPDATE_CHANNEL_MESSAGE: 'SENT',
  DENIED_CREATE_CHANNEL_MESSAGE: 'DENIED',
  DENIED_UPDATE_CHANNEL_MESSAGE: 'DENIED',
  FAILED_CREATE_CHANNEL_MESSAGE: 'FAILED',
  FAILED_UPDATE_CHANNEL_MESSAGE: 'FAILED',
  REDACT_CHANNEL_MESSAGE: 'REDACTED',
  DELETE_CHANNEL_MESSAGE: 'DELETED',
}

/** The messages that have changed since the last frame, each once. */
export class LiveMessages {
  readonly #changed = new Map<string, ChangedMessage>()

  note({ events }: Pick<Committed, 'events'>): void {
    for (const { eventType, subject, channelArn, createdAt } of events) {
      const status = statuses[eventType]
      if (status === undefined) continue
      const key = `${channelArn} ${subject}`
      this.#changed.delete(key)
      this.#changed.set(key, { messageId: subject, channelArn, status, at: new Date(createdAt).toISOString() })
      const [oldest] = this.#changed.keys()
      if (oldest !== undefined && this.#changed.size > messagesMax) this.#changed.delete(oldest)
    }
  }

  /** Those of this AppInstance, or of all; the oldest change first. */
  of(appInstanceArn: string | undefined): ChangedMessage[] {
    const all = [...this.#changed.values()]
    return all.filter(({ channelArn }) => appInstanceArn === undefined || appInstanceOf(channelArn) === appInstanceArn)
  }

  clear(): void {
    this.#changed.clear()
  }
}
