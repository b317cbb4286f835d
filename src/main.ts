#!/usr/bin/env node

const nodeMajorMin = 24

// Before any import: in an older Node the imports fail, with a stack that does not say why.
if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  console.error(`carillon needs Node ${nodeMajorMin} or newer; ${process.execPath} is ${process.version}`)
  process.exit(1)
}

const { run } = await import('./cli/run.ts')
process.exit(await run(process.argv.slice(2)))
