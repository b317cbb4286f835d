import type { Bus, Listener, Subscription } from './bus.ts'

/** The bus of a server that is one process. All listeners receive all events, at once and in order. */
export function memoryBus(): Bus {
  const listeners = new Set<Listener>()
  return {
    connected: true,
    publish(envelopes) {
      for (const listener of listeners) listener.deliver(envelopes)
    },
    announceChange(userArn) {
      for (const listener of listeners) listener.changed(userArn)
    },
    announceCatchUp() {
      for (const listener of listeners) listener.catchUp()
    },
    listen(listener) {
      listeners.add(listener)
      return { ...interestedInAll, close: () => void listeners.delete(listener) }
    },
    async close() {
      listeners.clear()
    },
  }
}

const interestedInAll: Omit<Subscription, 'close'> = {
  addChannel: () => undefined,
  removeChannel() {},
  addUser: () => undefined,
  removeUser() {},
}
