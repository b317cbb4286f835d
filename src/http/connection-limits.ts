/** How many connections a server accepts. */
export interface ConnectionLimits {
  /** All connections, on all ports of the API together. */
  all: number
  /** Connections of one address on which no signature has been verified. */
  perAddress: number
  /** File descriptors that stay free of connections. */
  reserve: number
}

export interface WantedLimits {
  /** Undefined: as many as the descriptors allow. */
  connections: number | undefined
  connectionsPerAddress: number
  descriptorReserve: number
}

/** Even where descriptors are unlimited, memory is not: an idle TLS connection takes 71 kB. */
const connectionsMax = 65_536
/** Fewer are soon used up: a single browser opens up to six. */
const connectionsEnough = 256

const howToRaise = 'raise the limit with "ulimit -n", in systemd with LimitNOFILE='

/**
 * Derives the limits from the process's limit of descriptors and from the number that is open already. A setting above
 * them is reduced, not rejected: a server that starts with fewer connections and a warning is worth more than one that
 * does not start.
 */
export function deriveLimits(
  wanted: WantedLimits,
  descriptors: { limit: number; open: number },
): { limits: ConnectionLimits; warnings: string[] } {
  const left = Math.max(2, descriptors.limit - descriptors.open)
  // If there are few, half of them are for connections.
  const reserve = Math.min(wanted.descriptorReserve, Math.floor(left / 2))
  const allowed = left - reserve
  const all = Math.min(wanted.connections ?? connectionsMax, allowed)
  const perAddress = Math.max(1, Math.min(wanted.connectionsPerAddress, Math.floor(all / 4)))
  const warnings: string[] = []
  if (wanted.connections !== undefined && wanted.connections > allowed) {
    warnings.push(`${wanted.connections} connections are set, but file descriptors allow ${allowed}: ${howToRaise}`)
  } else if (wanted.connections === undefined && all < connectionsEnough) {
    warnings.push(`file descriptors allow no more than ${all} connections: ${howToRaise}`)
  }
  return { limits: { all, perAddress, reserve }, warnings }
}
