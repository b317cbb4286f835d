/** What recipients saw, by whichever way, that they must not see: a text that its processors had not released. */
export class Observer {
  readonly violations: string[] = []
  /** How many texts it looked at, by way: an observer that saw nothing proves nothing. */
  readonly looks = new Map<string, number>()

  see(way: string, content: string | undefined): void {
    this.looks.set(way, (this.looks.get(way) ?? 0) + 1)
    if (content?.includes('RAW-')) this.violations.push(`${way}: ${content}`)
  }
}
