import type { ChildProcess } from 'node:child_process'

/** The port that a processor prints when it listens. */
export async function portPrintedBy(child: ChildProcess): Promise<number> {
  let printed = ''
  for await (const text of child.stdout!) {
    printed += text
    const [, port] = /listening on port (\d+)\n/.exec(printed) ?? []
    if (port) return Number(port)
  }
  throw new Error('the processor ended before it listened')
}
