import { appInstanceArn, appInstanceUserArn, channelArn } from '../../src/contract/arn.ts'
import type { Audience } from '../../src/store/channel-event.ts'
import {
  type Change,
  emptyHistory,
  type History,
  type Look,
  type Outcome,
  type Period,
  type SeenEvent,
  type Send,
} from './history.ts'
import { outcomeOf } from './history-index.ts'

const place = { region: 'us-east-1', account: '111122223333' }
const appInstance = appInstanceArn(place, 'model')
export const users = ['ann', 'bob', 'cleo'].map((id) => appInstanceUserArn(appInstance, id))
export const channelArns = ['lobby', 'hall', 'club'].map((id) => channelArn(appInstance, id))
/** Users join it and leave it, and it is deleted and created again. */
const [, , club] = channelArns as [string, string, string]
const foundersOf = (channelArn: string) => (channelArn === club ? users.slice(0, 1) : users)

/** What may become of a message. */
export const endings = ['free', 'changed', 'denied', 'failed', 'passing'] as const

/** What happens next. A number picks one of those that there are, counted round. */
export type Action =
  | { do: 'send'; ending: (typeof endings)[number]; sender: number; channel: number; acknowledged: boolean }
  | { do: 'decide'; which: number }
  | { do: 'join'; user: number }
  | { do: 'leave'; user: number }
  /** The club is deleted, and created again with its founders. */
  | { do: 'delete club' }
  | { do: 'change'; way: Change['way']; which: number }
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
    channels: channelArns.map((channelArn) => ({ channelArn, memberArns: foundersOf(channelArn) })),
  }
  readonly #members = new Map(channelArns.map((channelArn) => [channelArn, new Set(foundersOf(channelArn))]))
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
    else if (action.do === 'join') this.#join(users[action.user % users.length]!)
    else if (action.do === 'leave') this.#leave(users[action.user % users.length]!)
    else if (action.do === 'delete club') this.#deleteClub()
    else if (action.do === 'change') this.#change(action)
    else this.#look(action.way, users[action.user % users.length]!, channelArns[action.channel % channelArns.length]!)
  }

  /** All that is held is decided, and everybody reads everything. */
  end(): History {
    while (this.#pending.length > 0) this.act({ do: 'decide', which: 0 })
    for (const channelArn of channelArns) {
      for (const userArn of foundersOf(channelArn)) this.#look('list', userArn, channelArn, true)
    }
    return this.history
  }

  #send({ ending, sender, channel, acknowledged }: Extract<Action, { do: 'send' }>): void {
    const senderArn = users[sender % users.length]!
    const inChannel = channelArns[channel % channelArns.length]!
    if (!this.#isMember(inChannel, senderArn)) return
    const n = this.history.sends.length
    const held = ending !== 'free'
    const text = `${held ? 'RAW' : 'OPEN'}-${n} ${ending}`
    const outcome: Outcome = ending === 'denied' ? 'DENIED' : ending === 'failed' ? 'FAILED' : 'SENT'
    const messageId = `message-${n}`
    const send: Send = {
      token: `token-${n}`,
      channelArn: inChannel,
      senderArn,
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
    const { messages } = this.history.end
    const toAll = eventType === 'CREATE_CHANNEL_MESSAGE'
    const audience: Audience = toAll ? { to: 'members' } : { to: 'users', users: [senderArn] }
    const text = toAll ? send.released : send.text
    this.#publish({ channelArn, eventType, subject: messageId, text: text! }, audience)
    const status = outcomeOf(eventType)
    if (status && status !== 'DENIED' && persistence === 'PERSISTENT') {
      messages.push({ channelArn, messageId, status, text })
    }
  }

  /** Into the log, and to the sessions of those who are members at this moment. */
  #publish(event: SeenEvent, audience: Audience): void {
    const { channelArn, eventType, subject } = event
    const { log } = this.history.end
    const seq = log.filter((entry) => entry.channelArn === channelArn).length + 1
    log.push({ channelArn, seq, eventType, audience, subject, createdAt: this.#now })
    for (const { period, hearsFrom } of this.#open) {
      const isFor = audience.to === 'members' || audience.users.includes(period.userArn)
      const hears = this.#now > hearsFrom && isFor && this.#isMember(channelArn, period.userArn)
      if (hears) period.seen.push({ ...event })
    }
  }

  #isMember(channelArn: string, userArn: string): boolean {
    return this.#members.get(channelArn)?.has(userArn) ?? false
  }

  #join(userArn: string): void {
    if (this.#isMember(club, userArn)) return
    this.#members.get(club)?.add(userArn)
    this.#actInClub('CREATE_CHANNEL_MEMBERSHIP', userArn)
  }

  #leave(userArn: string): void {
    if (!this.#isMember(club, userArn) || foundersOf(club).includes(userArn)) return
    this.#actInClub('DELETE_CHANNEL_MEMBERSHIP', userArn)
    this.#members.get(club)?.delete(userArn)
  }

  #actInClub(eventType: string, subject: string): void {
    const act = { channelArn: club, eventType, subject }
    this.history.acts.push(act)
    this.#publish(act, { to: 'members' })
  }

  #deleteClub(): void {
    const { messages } = this.history.end
    this.#actInClub('DELETE_CHANNEL', club)
    const isElsewhere = ({ send }: Made) => send.channelArn !== club
    this.#pending = this.#pending.filter(isElsewhere)
    this.#made = this.#made.filter(isElsewhere)
    this.history.end.messages = messages.filter(({ channelArn }) => channelArn !== club)
    this.#members.get(club)?.clear()
    for (const founder of foundersOf(club)) this.#join(founder)
  }

  /** An edit is held, if the message was, and released at once. */
  #change({ way, which }: Extract<Action, { do: 'change' }>): void {
    const { messages } = this.history.end
    const sent = this.#made.filter(({ send, messageId }) => {
      const mayChange = send.messageIds.length > 0 && !send.change
      return mayChange && messages.some((row) => row.messageId === messageId && row.status === 'SENT')
    })
    const made = sent[which % Math.max(1, sent.length)]
    const row = messages.find(({ messageId }) => messageId === made?.messageId)
    if (!made || !row) return
    const { send, messageId } = made
    const { channelArn, senderArn } = send
    const about = { channelArn, subject: messageId }
    const [text, released] = [send.text, send.released!].map((before) => before.replace(' ', '-edited '))
    send.change = { way, acknowledged: true, attempts: 1, ...(way === 'edit' && { text: text!, released: released! }) }
    if (way === 'edit') {
      row.text = released
      const toSender: Audience = { to: 'users', users: [senderArn] }
      if (send.held) this.#publish({ ...about, eventType: 'PENDING_UPDATE_CHANNEL_MESSAGE', text: text! }, toSender)
      this.#publish({ ...about, eventType: 'UPDATE_CHANNEL_MESSAGE', text: released! }, { to: 'members' })
      return
    }
    if (way === 'redact') row.text = ''
    else messages.splice(messages.indexOf(row), 1)
    if (way === 'delete') this.#made.splice(this.#made.indexOf(made), 1)
    this.#publish({ ...about, eventType: `${way.toUpperCase()}_CHANNEL_MESSAGE` }, { to: 'members' })
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
    if (!this.#isMember(channelArn, userArn)) return
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
