import { isIPv6 } from 'node:net'

/** `::ffff:192.0.2.1`: the form of an IPv4 peer on a socket that listens on IPv6 and IPv4. */
const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/**
 * Returns the unit that counts as one address: an IPv4 address, or the /64 network of an IPv6 address, because a single
 * customer of a provider has at least a whole /64 network.
 */
export function networkOf(address: string): string {
  const ipv4 = mapped.exec(address)?.[1]
  if (ipv4 !== undefined) return ipv4
  if (!isIPv6(address)) return address
  const [left = '', right] = address.replace(/%.*$/, '').toLowerCase().split('::')
  const groups = left === '' ? [] : left.split(':')
  const rest = right === undefined || right === '' ? [] : right.split(':')
  // Eight groups of 16 bits; a dotted tail is two of them, and none of the two is in the first half.
  const written = groups.length + rest.length + (address.includes('.') ? 1 : 0)
  const all = right === undefined ? groups : [...groups, ...Array(8 - written).fill('0'), ...rest]
  const network = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}
