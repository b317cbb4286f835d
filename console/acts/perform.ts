/** So many calls are in flight: more would not be faster, and would take the connections of the page. */
const atOnce = 4

export interface Progress<Item> {
  done: number
  failures: { item: Item; error: Error }[]
}

/** Performs an act on each item and reports how far it has come. It never rejects, and stops early if aborted. */
export async function performAll<Item>(
  items: readonly Item[],
  perform: (item: Item) => Promise<unknown>,
  onProgress: (progress: Progress<Item>) => void,
  signal: AbortSignal,
): Promise<Progress<Item>> {
  const queue = items.values()
  const progress: Progress<Item> = { done: 0, failures: [] }
  const work = async () => {
    for (const item of queue) {
      if (signal.aborted) return
      await perform(item).catch((error: Error) => progress.failures.push({ item, error }))
      progress.done += 1
      onProgress({ ...progress })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return progress
}
