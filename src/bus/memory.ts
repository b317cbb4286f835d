import type { Bus, Deliver } from './bus.ts'

/** The bus of a server that is one process. */
export function memoryBus(): Bus {
  const listeners = new Set<Deliver>()
  return {
    publish(envelopes) {
      for (const deliver of listeners) deliver(envelopes)
    },
    subscribe(deliver) {
      listeners.add(deliver)
      return () => listeners.delete(deliver)
    },
    async close() {
      listeners.clear()
    },
  }
}
