interface Link<T> {
  readonly value: T
  before: Link<T> | undefined
  after: Link<T> | undefined
}

/**
 * A set in the order of insertion that finds its first member at once. A Set of JavaScript iterates over all deleted
 * members before the first one: 6 to 40 µs if 10,000 members move from the front to the end.
 */
export class OrderedSet<T> {
  readonly #links = new Map<T, Link<T>>()
  #first: Link<T> | undefined
  #last: Link<T> | undefined

  get first(): T | undefined {
    return this.#first?.value
  }

  get size(): number {
    return this.#links.size
  }

  /** The first member that satisfies the condition. */
  find(isWanted: (value: T) => boolean): T | undefined {
    let link = this.#first
    while (link && !isWanted(link.value)) link = link.after
    return link?.value
  }

  /** An existing member keeps its position. */
  add(value: T): void {
    if (this.#links.has(value)) return
    const link: Link<T> = { value, before: this.#last, after: undefined }
    if (this.#last) this.#last.after = link
    else this.#first = link
    this.#last = link
    this.#links.set(value, link)
  }

  delete(value: T): void {
    const link = this.#links.get(value)
    if (!link) return
    this.#links.delete(value)
    if (link.before) link.before.after = link.after
    else this.#first = link.after
    if (link.after) link.after.before = link.before
    else this.#last = link.before
  }
}
