/**
 * Keeps the first `max` items of any number, in the order of `compare`. A binary heap with the last of them on top: an
 * item that comes after all of them costs one comparison.
 */
export class BoundedHeap<T> {
  readonly #max: number
  readonly #compare: (a: T, b: T) => number
  readonly #items: T[] = []

  /** `compare` is negative if `a` comes before `b`, as for `Array.sort`. */
  constructor(max: number, compare: (a: T, b: T) => number) {
    this.#max = max
    this.#compare = compare
  }

  add(item: T): void {
    const [last] = this.#items
    if (this.#items.length < this.#max) this.#rise(item)
    else if (last !== undefined && this.#compare(item, last) < 0) this.#sink(item)
  }

  sorted(): T[] {
    return this.#items.toSorted(this.#compare)
  }

  /** Adds the item at the end, and moves it up while it comes after its parent. */
  #rise(item: T): void {
    const items = this.#items
    let index = items.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = items[parent] as T
      if (this.#compare(item, above) <= 0) break
      items[index] = above
      index = parent
    }
    items[index] = item
  }

  /** Puts the item on top in place of the last one, and moves it down while it comes before one of its children. */
  #sink(item: T): void {
    const items = this.#items
    let index = 0
    for (let child = 1; child < items.length; child = 2 * index + 1) {
      const isRight = child + 1 < items.length && this.#compare(items[child + 1] as T, items[child] as T) > 0
      if (isRight) child += 1
      const below = items[child] as T
      if (this.#compare(item, below) >= 0) break
      items[index] = below
      index = child
    }
    items[index] = item
  }
}
