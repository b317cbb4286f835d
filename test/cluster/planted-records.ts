import type { History, Send } from './history.ts'
import { outcomeOf } from './history-index.ts'
import { acknowledged, idOf, one, type PlantedFault, remove, removeFromLog, renumber } from './planted-fault.ts'

/** Held messages of channels that are never deleted. */
function heldToItsEnd(history: History): Send[] {
  const deletions = history.end.log.filter(({ eventType }) => eventType === 'DELETE_CHANNEL')
  return acknowledged(history, ({ held, channelArn }) => {
    return held && deletions.every(({ subject }) => subject !== channelArn)
  })
}

/** In what is left behind, and what senders were answered. */
export const plantedRecords: PlantedFault[] = [
  {
    name: 'an acknowledged message is gone',
    rule: 'lost',
    says: /was acknowledged, but the log of \S+ does not have it/,
    plant(history, pick) {
      const send = one(
        acknowledged(history, () => true),
        pick,
      )
      if (!send) return false
      removeFromLog(history, ({ subject }) => subject === idOf(send))
      remove(history.end.messages, ({ messageId }) => messageId === idOf(send))
      for (const { messages } of history.looks) remove(messages, ({ messageId }) => messageId === idOf(send))
      for (const { seen } of history.periods) remove(seen, ({ subject }) => subject === idOf(send))
      return true
    },
  },
  {
    name: 'a row is gone',
    rule: 'lost',
    says: /must have one row at the end, and has 0/,
    plant(history, pick) {
      const { messages } = history.end
      const known = new Set(acknowledged(history, () => true).map(idOf))
      const row = one(
        messages.filter(({ messageId }) => known.has(messageId)),
        pick,
      )
      remove(messages, (other) => other === row)
      return row !== undefined
    },
  },
  {
    name: 'a denied or passing message has a row',
    rule: 'lost',
    says: /must leave no row, but has 1/,
    plant(history, pick) {
      const isBrief = (send: Send) => send.outcome === 'DENIED' || send.persistence === 'NON_PERSISTENT'
      const send = one(acknowledged(history, isBrief), pick)
      if (!send) return false
      const { channelArn, outcome: status, released, text } = send
      history.end.messages.push({ channelArn, messageId: idOf(send), status, text: released ?? text })
      return true
    },
  },
  {
    name: 'a recipient cannot find a message at the end',
    rule: 'lost',
    says: /is not in the history that \S+ reads at the end/,
    plant(history, pick) {
      const look = one(
        history.looks.filter(({ whole, messages }) => whole && messages.length > 0),
        pick,
      )
      look?.messages.splice(pick % look.messages.length, 1)
      return look !== undefined
    },
  },
  {
    name: 'a message is in the log of another channel',
    rule: 'lost',
    says: /is in the log of/,
    plant(history, pick) {
      const send = one(
        acknowledged(history, () => true),
        pick,
      )
      const other = history.channels.find(({ channelArn }) => channelArn !== send?.channelArn)
      if (!send || !other) return false
      for (const entry of history.end.log) if (entry.subject === idOf(send)) entry.channelArn = other.channelArn
      renumber(history.end.log)
      return true
    },
  },
  {
    name: 'the log leaves out a number',
    rule: 'log',
    says: /the log of \S+ goes from \d+ to \d+/,
    plant({ end }, pick) {
      const entry = one(end.log, pick)
      if (!entry) return false
      for (const other of end.log) if (other.channelArn === entry.channelArn && other.seq >= entry.seq) other.seq += 1
      return true
    },
  },
  {
    name: 'the log has a number twice',
    rule: 'log',
    says: /the log of \S+ goes from (\d+) to \1$/,
    plant({ end }, pick) {
      const entry = one(end.log, pick)
      if (entry) end.log.push({ ...entry, subject: 'another' })
      return entry !== undefined
    },
  },
  {
    name: 'a message is PENDING for ever',
    rule: 'outcome',
    says: /has no outcome in the log/,
    plant(history, pick) {
      const send = one(heldToItsEnd(history), pick)
      if (send) removeFromLog(history, (entry) => entry.subject === idOf(send) && Boolean(outcomeOf(entry.eventType)))
      return send !== undefined
    },
  },
  {
    name: 'a message has two outcomes in the log',
    rule: 'outcome',
    says: /has 2 outcomes in the log/,
    plant({ end }, pick) {
      const entry = one(
        end.log.filter(({ eventType }) => outcomeOf(eventType)),
        pick,
      )
      if (!entry) return false
      const seq = end.log.filter(({ channelArn }) => channelArn === entry.channelArn).length + 1
      const denied = entry.eventType !== 'DENIED_CREATE_CHANNEL_MESSAGE'
      const eventType = denied ? 'DENIED_CREATE_CHANNEL_MESSAGE' : 'CREATE_CHANNEL_MESSAGE'
      end.log.push({ ...entry, seq, eventType })
      return true
    },
  },
  {
    name: 'a message ends otherwise than it must',
    rule: 'outcome',
    says: /must end as DENIED, but the log has FAILED_CREATE_CHANNEL_MESSAGE/,
    plant(history, pick) {
      const send = one(
        acknowledged(history, ({ outcome }) => outcome === 'DENIED'),
        pick,
      )
      const entry = history.end.log.find(
        ({ subject, eventType }) => send && subject === idOf(send) && outcomeOf(eventType),
      )
      if (entry) entry.eventType = 'FAILED_CREATE_CHANNEL_MESSAGE'
      return entry !== undefined
    },
  },
  {
    name: 'a row ends otherwise than it must',
    rule: 'outcome',
    says: /must end as SENT, but its row says FAILED/,
    plant({ end }, pick) {
      const row = one(
        end.messages.filter(({ status }) => status === 'SENT'),
        pick,
      )
      if (row) row.status = 'FAILED'
      return row !== undefined
    },
  },
  {
    name: 'two see different outcomes',
    rule: 'outcome',
    says: /as FAILED by list, but it is SENT elsewhere/,
    plant({ looks }, pick) {
      const sent = looks.flatMap(({ way, messages }) => (way === 'list' ? messages : []))
      const message = one(
        sent.filter(({ status }) => status === 'SENT'),
        pick,
      )
      if (message) message.status = 'FAILED'
      return message !== undefined
    },
  },
  {
    name: 'a sender hears an outcome before its PENDING',
    rule: 'pending',
    says: /heard the outcome of .* before its PENDING/,
    plant({ periods }, pick) {
      const pairs = periods.flatMap(({ seen }) =>
        seen.flatMap((event, first) => {
          if (event.eventType !== 'PENDING_CREATE_CHANNEL_MESSAGE') return []
          const second = seen.findIndex((other) => other.subject === event.subject && outcomeOf(other.eventType))
          return second === -1 ? [] : [{ seen, first, second }]
        }),
      )
      const pair = one(pairs, pick)
      if (!pair) return false
      const { seen, first, second } = pair
      ;[seen[first], seen[second]] = [seen[second]!, seen[first]!]
      return true
    },
  },
  {
    name: 'the log has an outcome before its PENDING',
    rule: 'pending',
    says: /is PENDING at \d+, after its outcome at \d+/,
    plant({ end }, pick) {
      const ended = end.log.filter(({ subject, eventType }, place) => {
        return outcomeOf(eventType) && end.log.findIndex((e) => e.subject === subject) < place
      })
      const second = one(ended, pick)
      const first = end.log.find(({ subject }) => subject === second?.subject)
      if (!first || !second) return false
      ;[first.eventType, second.eventType] = [second.eventType, first.eventType]
      return true
    },
  },
  {
    name: 'a held message was never PENDING',
    rule: 'pending',
    says: /was held by a flow, but the log never has it as PENDING/,
    plant(history, pick) {
      const send = one(heldToItsEnd(history), pick)
      if (!send) return false
      removeFromLog(history, ({ subject, eventType }) => subject === idOf(send) && eventType.startsWith('PENDING_'))
      return true
    },
  },
  {
    name: 'a message is PENDING twice',
    rule: 'pending',
    says: /is PENDING 2 times in the log/,
    plant({ end }, pick) {
      const pending = end.log.filter(({ eventType }) => eventType === 'PENDING_CREATE_CHANNEL_MESSAGE')
      const entry = one(pending, pick)
      if (!entry) return false
      end.log.push({ ...entry, seq: end.log.filter(({ channelArn }) => channelArn === entry.channelArn).length + 1 })
      return true
    },
  },
  {
    name: 'a token made two messages, as its answers say',
    rule: 'token',
    says: /made message-\d+ and message-again/,
    plant(history, pick) {
      const send = one(
        acknowledged(history, () => true),
        pick,
      )
      send?.messageIds.push('message-again')
      return send !== undefined
    },
  },
  {
    name: 'a token made two messages, as its text says',
    rule: 'token',
    says: /made message-again and message-\d+|made message-\d+ and message-again/,
    plant({ end }, pick) {
      const row = one(
        end.messages.filter(({ text }) => text),
        pick,
      )
      if (row) end.messages.push({ ...row, messageId: 'message-again' })
      return row !== undefined
    },
  },
  {
    name: 'two tokens were answered with one message',
    rule: 'token',
    says: /tokens \S+ and \S+ were both answered message-\d+/,
    plant(history, pick) {
      const send = one(
        acknowledged(history, () => true),
        pick,
      )
      if (send) history.sends.push({ ...send, token: 'another', text: 'another', released: 'another' })
      return send !== undefined
    },
  },
  {
    name: 'a step is open',
    rule: 'step',
    says: /step 0 of .* is still AWAITING/,
    plant({ end }, pick) {
      const step = one(end.steps, pick)
      if (step) step.state = 'AWAITING'
      return step !== undefined
    },
  },
  {
    name: 'a step was opened twice',
    rule: 'step',
    says: /step 0 of .* was opened twice, as callback of \S+ and as another/,
    plant({ end }, pick) {
      const step = one(end.steps, pick)
      if (step) end.steps.push({ ...step, callbackId: 'another' })
      return step !== undefined
    },
  },
]
