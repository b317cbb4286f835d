/** The output in one frame. Of more, the latest lines are sent. */
const bytesMax = 65_536

/** Lines that a function has printed. */
export interface PrintedLines {
  functionName: string
  /** The time of the last line, ISO 8601. */
  at: string
  lines: string[]
}

/** What functions have printed since the last frame. */
export class LiveOutput {
  #lines: { functionName: string; at: number; line: string }[] = []
  #bytes = 0

  note(functionName: string, line: string, at: number): void {
    this.#lines.push({ functionName, at, line })
    this.#bytes += Buffer.byteLength(line)
    while (this.#bytes > bytesMax) this.#bytes -= Buffer.byteLength(this.#lines.shift()?.line ?? '')
  }

  /** By function, in the order in which they printed first. */
  all(): PrintedLines[] {
    const printed = new Map<string, PrintedLines>()
    for (const { functionName, at, line } of this.#lines) {
      const of = printed.get(functionName) ?? { functionName, at: '', lines: [] }
      of.at = new Date(at).toISOString()
      of.lines.push(line)
      printed.set(functionName, of)
    }
    return [...printed.values()]
  }

  clear(): void {
    this.#lines = []
    this.#bytes = 0
  }
}
