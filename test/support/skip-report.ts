import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'

/**
 * A reporter for node --test: one line for each test, and for each suite, that was skipped, as `FILE: NAME # REASON`.
 */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:pass' || event.data.skip === undefined) continue
    const { file = '', name, skip } = event.data
    yield `${relative('', file)}: ${name} # ${skip}\n`
  }
}
