import { appInstanceArn, appInstanceUserArn, channelArn } from '../../src/contract/arn.ts'
import type { Audience } from '../../src/store/channel-event.ts'
import { emptyHistory, type History, type Look, type Outcome, type Period, type Send } from './history.ts'
import { outcomeOf } from './history-index.ts'

const place = { region: 'us-east-1', account: '111122223333' }
const appInstance = appInstanceArn(place, 'model')
export const users = ['ann', 'bob', 'cleo'].map((id) => appInstanceUserArn(appInstance, id))
export const channelArns = ['lobby', 'hall'].map((id) => channelArn(appInstance, id))

/** What may become of a message. */
export const endings = ['free', 'changed', 'denied', 'failed', 'passing'] as const

/** What happens next. A number picks one of those that there are, counted round. */
export type Action =
  | { do: 'send'; ending: (typeof endings)[number]; sender: number; channel: number; acknowledged: boolean }
  | { do: 'decide'; which: number }
  /** `early`: it hears what happens between its registration and SESSION_ESTABLISHED. */
  | { do: 'connect'; user: number; early: boolean }
  /** The connection breaks, with so many events on their way. */
  | { do: 'lose'; which: number; unheard: number }
  | { do: 'look'; way: Look['way']; user: number; channel: number }

interface Made {
  send: Send
  messageId: string
}

/** How much later SESSION_ESTABLISHED arrives, in the time that three actions take. */
const establishedMs = 30

/** A server without a fault, and everybody around it. */
export class HistoryModel {
  readonly history: History = {
    ...emptyHistory(),
    channels: channelArns.map((channelArn) => ({ channelArn, memberArns: users })),
  }
  #now = 1_000
  #pending: Made[] = []
  #made: Made[] = []
  #open: { period: Period; hearsFrom: number }[] = []

  act(action: Action): void {
    this.#now += 10
    if (action.do === 'send') this.#send(action)
    else if (action.do === 'decide') this.#decide(action.which)
    else if (action.do === 'connect') this.#connect(action.user, action.early)
    else if (action.do === 'lose') this.#lose(action)
    else this.#look(action.way, users[action.user % users.length]!, channelArns[action.channel % channelArns.length]!)
  }

  /** All that is held is decided, and everybody reads everything. */
  end(): History {
    while (this.#pending.length > 0) this.act({ do: 'decide', which: 0 })
    for (const channelArn of channelArns) {
      for (const userArn of users) this.#look('list', userArn, channelArn, true)
    }
    return this.history
  }

  #send({ ending, sender, channel, acknowledged }: Extract<Action, { do: 'send' }>): void {
    const n = this.history.sends.length
    const held = ending !== 'free'
    const text = `${held ? 'RAW' : 'OPEN'}-${n} ${ending}`
    const outcome: Outcome = ending === 'denied' ? 'DENIED' : ending === 'failed' ? 'FAILED' : 'SENT'
    const messageId = `message-${n}`
    const send: Send = {
      token: `token-${n}`,
      channelArn: channelArns[channel % channelArns.length]!,
      senderArn: users[sender % users.length]!,
      persistence: ending === 'passing' ? 'NON_PERSISTENT' : 'PERSISTENT',
      held,
      text,
      outcome,
      released: outcome === 'SENT' ? text.replace('RAW', 'OK') : undefined,
      messageIds: acknowledged ? [messageId] : [],
    }
    const made = { send, messageId }
    this.history.sends.push(send)
    this.#made.push(made)
    if (held) this.#pending.push(made)
    this.#tell(made, held ? 'PENDING_CREATE_CHANNEL_MESSAGE' : 'CREATE_CHANNEL_MESSAGE')
  }

  #decide(which: number): void {
    const [made] = this.#pending.splice(which % Math.max(1, this.#pending.length), 1)
    if (!made) return
    const { outcome } = made.send
    this.history.end.steps.push({
      messageId: made.messageId,
      revision: 1,
      position: 0,
      callbackId: `callback of ${made.messageId}`,
      state: ({ SENT: 'ALLOWED', DENIED: 'DENIED', FAILED: 'EXPIRED' } as const)[outcome],
      decidedAt: this.#now,
    })
    this.#tell(made, outcome === 'SENT' ? 'CREATE_CHANNEL_MESSAGE' : `${outcome}_CREATE_CHANNEL_MESSAGE`)
  }

  /** Into the log, to the sessions, and into the row, if one stays. */
  #tell({ send, messageId }: Made, eventType: string): void {
    const { channelArn, senderArn, persistence } = send
    const { log, messages } = this.history.end
    const toAll = eventType === 'CREATE_CHANNEL_MESSAGE'
    const audience: Audience = toAll ? { to: 'members' } : { to: 'users', users: [senderArn] }
    const seq = log.filter((entry) => entry.channelArn === channelArn).length + 1
    log.push({ channelArn, seq, eventType, audience, subject: messageId, createdAt: this.#now })
    const text = toAll ? send.released : send.text
    for (const { period, hearsFrom } of this.#open) {
      const hears = this.#now > hearsFrom && (toAll || period.userArn === senderArn)
      if (hears) period.seen.push({ channelArn, eventType, subject: messageId, text: text! })
    }
    const status = outcomeOf(eventType)
    if (status && status !== 'DENIED' && persistence === 'PERSISTENT') {
      messages.push({ channelArn, messageId, status, text })
    }
  }

  #connect(user: number, early: boolean): void {
    const userArn = users[user % users.length]!
    const establishedAt = this.#now + (early ? establishedMs : 0)
    const session = `${this.history.periods.length}`
    const period: Period = { session, userArn, establishedAt, closedAt: undefined, seen: [] }
    this.history.periods.push(period)
    this.#open.push({ period, hearsFrom: this.#now })
  }

  #lose({ which, unheard }: Extract<Action, { do: 'lose' }>): void {
    const [lost] = this.#open.splice(which % Math.max(1, this.#open.length), 1)
    if (!lost) return
    lost.period.closedAt = this.#now
    lost.period.seen.splice(Math.max(0, lost.period.seen.length - unheard))
  }

  #look(way: Look['way'], userArn: string, channelArn: string, whole = false): void {
    const { messages: stored } = this.history.end
    const messages = this.#made.flatMap(({ send, messageId }) => {
      if (send.channelArn !== channelArn || send.persistence !== 'PERSISTENT') return []
      const row = stored.find((one) => one.messageId === messageId)
      const isSender = send.senderArn === userArn
      if (row) return row.status === 'SENT' || isSender ? [{ messageId, status: row.status, text: row.text }] : []
      const waits = this.#pending.some((one) => one.messageId === messageId)
      return waits && isSender ? [{ messageId, status: 'PENDING' as const, text: send.text }] : []
    })
    const shown = way === 'list' ? messages : messages.slice(way === 'get' ? -1 : -20)
    this.history.looks.push({ way, userArn, channelArn, whole, messages: shown })
  }
}
