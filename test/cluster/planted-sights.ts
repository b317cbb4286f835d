import type { History, Look, Period, SeenEvent, Send } from './history.ts'
import { outcomeOf } from './history-index.ts'
import { hearable, mayRecur } from './membership.ts'
import { acknowledged, idOf, one, type PlantedFault } from './planted-fault.ts'

/** Puts a text in the place of what somebody who is not its sender was shown. */
function reveal(looks: Look[], sends: Send[], pick: number): boolean {
  const places = looks.flatMap((look) =>
    look.messages.flatMap((message) => {
      const send = sends.find((candidate) => candidate.messageIds.includes(message.messageId))
      return send?.held && send.senderArn !== look.userArn ? [{ message, send }] : []
    }),
  )
  const place = one(places, pick)
  if (!place) return false
  place.message.text = place.send.text
  return true
}

/** What a session heard from the moment it was established to its end or its last news: it must have heard it. */
function certain({ periods, end }: History): { period: Period; event: SeenEvent; place: number }[] {
  return periods.flatMap((period) =>
    period.seen.flatMap((event, place) => {
      const { channelArn, eventType, subject } = event
      const entry = end.log.find((one) => one.subject === subject && one.eventType === eventType)
      // An event that may be in the log more than once does not say how far the session has heard it.
      const later = period.seen
        .slice(place + 1)
        .some((one) => one.channelArn === channelArn && !mayRecur(one.eventType))
      const due = entry !== undefined && !mayRecur(eventType) && entry.createdAt > period.establishedAt
      return due && (later || period.closedAt === undefined) ? [{ period, event, place }] : []
    }),
  )
}

const isLeaving = (eventType: string) => eventType === 'DELETE_CHANNEL_MEMBERSHIP'
const isJoining = (eventType: string) => eventType === 'CREATE_CHANNEL_MEMBERSHIP'

/** Where sessions heard that their own user left. */
function leavings(periods: Period[]): { period: Period; place: number; channelArn: string }[] {
  return periods.flatMap((period) =>
    period.seen.flatMap(({ eventType, subject, channelArn }, place) =>
      isLeaving(eventType) && subject === period.userArn ? [{ period, place, channelArn }] : [],
    ),
  )
}

/** In what people are shown, and what sessions hear. */
export const plantedSights: PlantedFault[] = [
  {
    name: 'an event shows a recipient what was not released',
    rule: 'text',
    says: /by CREATE_CHANNEL_MESSAGE in session \d+, which nobody released/,
    plant({ periods, sends }, pick) {
      const places = periods.flatMap(({ userArn, seen }) =>
        seen.flatMap((event) => {
          const send = sends.find(({ messageIds }) => messageIds.includes(event.subject))
          return send?.held && send.senderArn !== userArn ? [{ event, send }] : []
        }),
      )
      const place = one(places, pick)
      if (place) place.event.text = place.send.text
      return place !== undefined
    },
  },
  ...(['list', 'get', 'prefetch'] as const).map(
    (way): PlantedFault => ({
      name: `a ${way} shows a recipient what was not released`,
      rule: 'text',
      says: new RegExp(`as SENT by ${way}, which nobody released`),
      plant: ({ looks, sends }, pick) =>
        reveal(
          looks.filter((look) => look.way === way),
          sends,
          pick,
        ),
    }),
  ),
  {
    name: 'a recipient is shown a denied message',
    rule: 'text',
    says: /as DENIED by DENIED_CREATE_CHANNEL_MESSAGE in session \d+, which nobody released/,
    plant(history, pick) {
      const send = one(
        acknowledged(history, ({ outcome }) => outcome === 'DENIED'),
        pick,
      )
      const period = one(
        history.periods.filter(({ userArn }) => userArn !== send?.senderArn),
        pick,
      )
      if (!send || !period) return false
      const eventType = 'DENIED_CREATE_CHANNEL_MESSAGE'
      period.seen.push({ channelArn: send.channelArn, eventType, subject: idOf(send), text: send.text })
      return true
    },
  },
  {
    name: 'a sender reads a text that is not the one released',
    rule: 'text',
    says: /which its sender should have read otherwise/,
    plant({ looks, sends }, pick) {
      const own = looks.flatMap(({ userArn, messages }) =>
        messages.filter(({ messageId }) =>
          sends.some((send) => send.messageIds.includes(messageId) && send.senderArn === userArn),
        ),
      )
      const message = one(own, pick)
      if (message) message.text = 'something else'
      return message !== undefined
    },
  },
  {
    name: 'a row holds the text before its change',
    rule: 'text',
    says: /the row of .* says "RAW-\d+ changed", not "OK-\d+ changed"/,
    plant(history, pick) {
      const changed = acknowledged(history, ({ text, released, persistence }) => {
        return released !== undefined && released !== text && persistence === 'PERSISTENT'
      })
      const send = one(changed, pick)
      const row = history.end.messages.find(({ messageId }) => send && messageId === idOf(send))
      if (row) row.text = send?.text
      return row !== undefined
    },
  },
  {
    name: 'an event of a message that stays has no text',
    rule: 'text',
    says: /saw undefined as (SENT|FAILED) by \w+ in session/,
    plant({ periods, end }, pick) {
      const stored = new Set(end.messages.flatMap(({ messageId, text }) => (text ? [messageId] : [])))
      const events = periods.flatMap(({ seen }) =>
        seen.filter(({ subject, eventType }) => stored.has(subject) && outcomeOf(eventType)),
      )
      const event = one(events, pick)
      delete event?.text
      return event !== undefined
    },
  },
  {
    name: 'a list shows a sender a PENDING text that was released',
    rule: 'text',
    says: /as PENDING by list, which its sender should have read otherwise/,
    plant({ looks, sends }, pick) {
      const own = looks.flatMap(({ way, userArn, messages }) =>
        messages.filter(({ messageId, status, text }) => {
          const send = sends.find((candidate) => candidate.messageIds.includes(messageId))
          const isOwn = send?.senderArn === userArn && send.change === undefined
          return isOwn && way === 'list' && status === 'SENT' && send.text !== text
        }),
      )
      const message = one(own, pick)
      if (message) message.status = 'PENDING'
      return message !== undefined
    },
  },
  {
    name: 'somebody sees what nobody sent',
    rule: 'text',
    says: /nobody sent that/,
    plant({ looks }, pick) {
      const look = one(looks, pick)
      look?.messages.push({ messageId: 'nowhere', status: 'SENT', text: 'OK-999 changed' })
      return look !== undefined
    },
  },
  {
    name: 'a history shows a message twice',
    rule: 'list',
    says: /stands twice in a \w+ of/,
    plant({ looks }, pick) {
      const look = one(
        looks.filter(({ messages }) => messages.length > 0),
        pick,
      )
      look?.messages.push(one(look.messages, pick)!)
      return look !== undefined
    },
  },
  {
    name: 'a history is out of order',
    rule: 'list',
    says: /stands behind number \d+ in a \w+ of/,
    plant({ looks }, pick) {
      const look = one(
        looks.filter(({ messages }) => messages.length > 1),
        pick,
      )
      look?.messages.reverse()
      return look !== undefined
    },
  },
  {
    name: 'nobody looked at the end',
    rule: 'list',
    says: /never read the whole history of/,
    plant({ looks }, pick) {
      const whole = looks.filter((look) => look.whole)
      one(whole, pick)!.whole = false
      return true
    },
  },
  {
    name: 'a session misses an event',
    rule: 'session',
    says: /never heard (PENDING_|DENIED_|FAILED_)?CREATE_CHANNEL_MESSAGE of .*, number \d+ of/,
    plant(history, pick) {
      const place = one(certain(history), pick)
      place?.period.seen.splice(place.place, 1)
      return place !== undefined
    },
  },
  {
    name: 'a session hears two events the wrong way round',
    rule: 'session',
    says: /heard \w+ of .*, number \d+, after number \d+/,
    plant({ periods }, pick) {
      const pairs = periods.flatMap(({ seen }) =>
        seen.flatMap((event, place) => {
          const next = seen.findIndex((other, index) => index > place && other.channelArn === event.channelArn)
          return next === -1 || mayRecur(event.eventType) || mayRecur(seen[next]!.eventType)
            ? []
            : [{ seen, place, next }]
        }),
      )
      const pair = one(pairs, pick)
      if (!pair) return false
      const { seen, place, next } = pair
      ;[seen[place], seen[next]] = [seen[next]!, seen[place]!]
      return true
    },
  },
  {
    name: 'a session hears an event twice',
    rule: 'session',
    says: /heard \w+ of .*, number \d+, twice/,
    plant({ periods }, pick) {
      const heard = periods.flatMap(({ seen }) =>
        seen.flatMap((event) => (mayRecur(event.eventType) ? [] : [{ seen, event }])),
      )
      const place = one(heard, pick)
      place?.seen.push(place.event)
      return place !== undefined
    },
  },
  {
    name: 'a session hears what came after its user had left',
    rule: 'session',
    says: /heard CREATE_CHANNEL_MESSAGE of .*, which \S+ has not or not for this user/,
    plant({ periods, channels, sends, end }, pick) {
      const places = leavings(periods).flatMap(({ period, place, channelArn }) => {
        const log = end.log.filter((entry) => entry.channelArn === channelArn)
        const facts = channels.find((one) => one.channelArn === channelArn)
        const meant = new Set(hearable(log, facts, period.userArn))
        const left = log.findIndex(({ eventType, subject }) => isLeaving(eventType) && subject === period.userArn)
        return log.flatMap((entry, at) =>
          at > left && !meant.has(entry) && entry.eventType === 'CREATE_CHANNEL_MESSAGE'
            ? [{ period, place, entry }]
            : [],
        )
      })
      const chosen = one(places, pick)
      if (!chosen) return false
      const { channelArn, eventType, subject } = chosen.entry
      const text = sends.find((send) => send.messageIds.includes(subject))?.released
      const event = { channelArn, eventType, subject, ...(text !== undefined && { text }) }
      chosen.period.seen.splice(chosen.place + 1, 0, event)
      return true
    },
  },
  {
    name: 'a session hears again after rejoining what it heard before',
    rule: 'session',
    says: /heard CREATE_CHANNEL_MESSAGE of .*, number \d+, twice/,
    plant({ periods }, pick) {
      const places = leavings(periods).flatMap(({ period: { seen, userArn }, place, channelArn }) => {
        const isHere = (event: SeenEvent) => event.channelArn === channelArn
        const back = seen.findIndex(
          (event, at) => at > place && isHere(event) && isJoining(event.eventType) && event.subject === userArn,
        )
        const before = seen
          .slice(0, place)
          .filter((event) => isHere(event) && event.eventType === 'CREATE_CHANNEL_MESSAGE')
        return back === -1 ? [] : before.map((event) => ({ seen, back, event }))
      })
      const chosen = one(places, pick)
      chosen?.seen.splice(chosen.back + 1, 0, chosen.event)
      return chosen !== undefined
    },
  },
  {
    name: 'a session hears what is meant for another',
    rule: 'session',
    says: /heard PENDING_CREATE_CHANNEL_MESSAGE of .*, which \S+ has not or not for this user/,
    plant(history, pick) {
      const send = one(
        acknowledged(history, ({ held }) => held),
        pick,
      )
      const period = history.periods.find(({ userArn }) => userArn !== send?.senderArn)
      if (!send || !period) return false
      const eventType = 'PENDING_CREATE_CHANNEL_MESSAGE'
      period.seen.push({ channelArn: send.channelArn, eventType, subject: idOf(send), text: send.text })
      return true
    },
  },
]
