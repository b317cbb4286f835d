import { setTimeout } from 'node:timers/promises'
import { isPassing } from './clients.ts'
import type { Change, History, Send } from './history.ts'
import type { Stage } from './stage.ts'

/** What responses of AWS's client have. */
interface MetadataBearer {
  $metadata: { attempts?: number | undefined }
}

const changePauseMs = 200
/** Of one call, by AWS's client. */
const attemptsMax = 3
/** The newest sends are changed, while sessions and nodes are still busy with them. */
const newestSends = 100
/** The kinds that are SENT soon after they are accepted, and whose processors release an edit as they release the message. */
const changedKinds = ['free', 'same', 'change']
const ways: Change['way'][] = ['edit', 'redact', 'delete']
const namesOf = { edit: 'edits', redact: 'redactions', delete: 'deletions of messages' }
/** Responses to a change of a message that is still PENDING. */
const notYet = ['ConflictException', 'ForbiddenException']

/** A client that edits, redacts and deletes messages, each at most once. */
export class ChangeLoad {
  readonly #stage: Stage
  readonly #history: History
  readonly #random: () => number
  /** How often each was done. */
  readonly done = new Map(ways.map((way) => [namesOf[way], 0]))
  /** Errors that no fault excuses. */
  readonly refusals: string[] = []

  constructor(stage: Stage, history: History, random: () => number) {
    this.#stage = stage
    this.#history = history
    this.#random = random
  }

  async run(until: AbortSignal): Promise<void> {
    for (; !until.aborted; await setTimeout(changePauseMs)) {
      const send = this.#one(this.#changeable())
      if (send) await this.#change(send, this.#one(ways) as Change['way'])
    }
  }

  #one<T>(list: T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)]
  }

  #changeable(): Send[] {
    const channelArns = changedKinds.map((name) => this.#stage.channelArns.get(name))
    return this.#history.sends.slice(-newestSends).filter(({ channelArn, messageIds, change }) => {
      return messageIds.length > 0 && !change && channelArns.includes(channelArn)
    })
  }

  async #change(send: Send, way: Change['way']): Promise<void> {
    const change: Change = { way, ...(way === 'edit' && editOf(send)), acknowledged: false, attempts: attemptsMax }
    send.change = change
    try {
      const { $metadata } = await this.#call(send, change)
      change.acknowledged = true
      change.attempts = $metadata.attempts ?? attemptsMax
      this.done.set(namesOf[way], (this.done.get(namesOf[way]) ?? 0) + 1)
    } catch (error) {
      if (isPassing(error)) return
      // The client's retry may meet what its first try has done.
      const { attempts = 1 } = (error as { $metadata?: { attempts?: number } }).$metadata ?? {}
      if (attempts > 1) return
      const isPending = send.held && notYet.includes((error as Error).name)
      if (isPending) delete send.change
      else this.refusals.push(`to ${way} ${JSON.stringify(send.text)} was answered ${error}`)
    }
  }

  async #call({ channelArn, senderArn, messageIds }: Send, { way, text }: Change): Promise<MetadataBearer> {
    const { messaging, adminArn } = this.#stage
    const message = { ChannelArn: channelArn, MessageId: messageIds[0], ChimeBearer: senderArn }
    if (way === 'edit') return messaging.updateChannelMessage({ ...message, Content: text })
    if (way === 'redact') return messaging.redactChannelMessage(message)
    return messaging.deleteChannelMessage({ ...message, ChimeBearer: adminArn })
  }
}

/** `RAW-7 change` becomes `RAW-7-edited change`, of which processors make `OK-7-edited change`. */
function editOf({ text, released }: Send) {
  const edited = (before: string) => before.replace(' ', '-edited ')
  return { text: edited(text), ...(released !== undefined && { released: edited(released) }) }
}
