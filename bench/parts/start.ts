import { join } from 'node:path'
import { type Bench, caseName, type Part, sized, type Version } from '../bench.ts'
import type { Results } from '../figures.ts'
import { build } from '../system/build.ts'
import { CarillonProcess, mainOf } from '../system/carillon.ts'

export const start: Part = {
  name: 'start',
  about: 'from the start of the process until it is ready, with an empty store',
  async open(bench) {
    const all = bench.versions.map((version) => ({ version, built: build(version, bench.scratch) }))
    return async (results) => {
      for (const { version, built } of all) {
        for (let starts = sized(bench, 3, 1); starts > 0; starts -= 1) {
          await measureStarts(bench, version, 'dist', built.main, results)
          await measureStarts(bench, version, 'src', mainOf(version), results)
        }
      }
    }
  },
}

export const startCase = (program: 'dist' | 'src', isFirst: boolean): string =>
  `${program}, ${isFirst ? 'first start, which makes keys and certificates' : 'empty store'}`

async function measureStarts(
  bench: Bench,
  version: Version,
  program: 'dist' | 'src',
  main: string,
  results: Results,
): Promise<void> {
  const folder = bench.scratch.folder('start')
  for (const isFirst of [true, false]) {
    const options = { main, dataDir: join(folder, 'data'), tls: true }
    await using server = await CarillonProcess.start(options, bench.janitor)
    const { readyMs, readyCpuMs } = server
    results.add(caseName(version, startCase(program, isFirst)), { 'ready ms': readyMs, 'server CPU ms': readyCpuMs })
    await server.stop()
  }
  bench.scratch.remove(folder)
}
