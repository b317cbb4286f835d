import { lookup } from 'node:dns/promises'
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { type ShortageKind, shortageOf } from '../runtime/shortage.ts'

/** More descriptors than a look-up of a name opens: files of hosts and name servers, and a socket for each server. */
const descriptorsProbed = 8

/**
 * The shortage that may have caused ENOTFOUND: without a free file descriptor, the system can neither read the hosts file nor
 * ask a name server, and reports ENOTFOUND even for `localhost`. Undefined if the name does not exist. The name is looked up
 * again, because descriptors may have become free between the failure and the probe.
 */
export async function shortageBehindNotFound(host: string): Promise<ShortageKind | undefined> {
  if (!areDescriptorsFree()) return 'descriptors'
  try {
    await lookup(host)
    return 'network'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTFOUND') return shortageOf(error) ?? 'network'
    return areDescriptorsFree() ? undefined : 'descriptors'
  }
}

function areDescriptorsFree(): boolean {
  const opened: number[] = []
  try {
    while (opened.length < descriptorsProbed) opened.push(openSync(devNull, 'r'))
    return true
  } catch {
    return false
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}
