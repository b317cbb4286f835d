import type { Change, History, Send } from './history.ts'
import { acknowledged, idOf, one, type PlantedFault, removeFromLog } from './planted-fault.ts'

const changed = (history: History, ways: Change['way'][], pick: number): Send | undefined =>
  one(
    acknowledged(history, ({ change }) => change !== undefined && ways.includes(change.way)),
    pick,
  )

/** In what is left of edits, redactions and deletions, of joins and leaves, and in what users see of them. */
export const plantedChanges: PlantedFault[] = [
  {
    name: 'an acknowledged join or leave is gone',
    rule: 'lost',
    says: /(CREATE|DELETE)_CHANNEL(_MEMBERSHIP)? of \S+ was acknowledged \d+ times, but is \d+ times in the log of/,
    plant(history, pick) {
      const act = one(history.acts, pick)
      const entry = history.end.log.find(({ eventType, subject }) => {
        return eventType === act?.eventType && subject === act.subject
      })
      if (entry) removeFromLog(history, (other) => other === entry)
      return entry !== undefined
    },
  },
  {
    name: 'an acknowledged change is gone',
    rule: 'lost',
    says: /to (edit|redact|delete) .* was acknowledged, but the log has no \w+/,
    plant(history, pick) {
      const send = changed(history, ['edit', 'redact', 'delete'], pick)
      if (!send) return false
      const isChange = /^(UPDATE|REDACT|DELETE)_/
      removeFromLog(history, ({ subject, eventType }) => subject === idOf(send) && isChange.test(eventType))
      return true
    },
  },
  {
    name: 'an edit stands in the log twice',
    rule: 'log',
    says: /has 2 times UPDATE_CHANNEL_MESSAGE/,
    plant(history, pick) {
      const { log } = history.end
      const send = changed(history, ['edit'], pick)
      const entry = log.find(({ subject, eventType }) => {
        return send && subject === idOf(send) && eventType === 'UPDATE_CHANNEL_MESSAGE'
      })
      if (!entry) return false
      log.push({ ...entry, seq: log.filter(({ channelArn }) => channelArn === entry.channelArn).length + 1 })
      return true
    },
  },
  {
    name: 'a deleted message has a row',
    rule: 'lost',
    says: /must leave no row, but has 1/,
    plant(history, pick) {
      const send = changed(history, ['delete'], pick)
      if (!send) return false
      history.end.messages.push({ ...send, messageId: idOf(send), status: 'SENT', text: send.released })
      return true
    },
  },
  {
    name: 'the row of a redacted message keeps its text',
    rule: 'text',
    says: /the row of .* says "\S+ \w+", not ""/,
    plant(history, pick) {
      const send = changed(history, ['redact'], pick)
      const row = history.end.messages.find(({ messageId }) => send && messageId === idOf(send))
      if (row) row.text = send?.released
      return row !== undefined
    },
  },
  {
    name: 'a deleted message is read at the end',
    rule: 'text',
    says: /reads .* at the end, but it is deleted/,
    plant(history, pick) {
      const send = changed(history, ['delete'], pick)
      const look = history.looks.find(({ whole, channelArn }) => whole && channelArn === send?.channelArn)
      if (!send || !look) return false
      look.messages.push({ messageId: idOf(send), status: 'SENT', text: send.released })
      return true
    },
  },
  {
    name: 'an edit shows a recipient what was not released',
    rule: 'text',
    says: /saw "RAW-\d+-edited \w+" as SENT by UPDATE_CHANNEL_MESSAGE in session \d+, which nobody released/,
    plant({ periods, sends }, pick) {
      const places = periods.flatMap(({ seen, userArn }) =>
        seen.flatMap((event) => {
          const send = sends.find(({ messageIds }) => messageIds.includes(event.subject))
          const isRaw = send?.change?.text !== undefined && send.change.text !== send.change.released
          return isRaw && send.senderArn !== userArn && event.eventType === 'UPDATE_CHANNEL_MESSAGE'
            ? [{ event, text: send.change?.text as string }]
            : []
        }),
      )
      const place = one(places, pick)
      if (place) place.event.text = place.text
      return place !== undefined
    },
  },
]
