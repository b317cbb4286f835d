#!/usr/bin/env node

/*
 * `npx carillon …`: the same command in a clone, in a project that has the package, and in the container. Plain
 * JavaScript that an old Node can read, so that it can say what is missing.
 */
import { existsSync } from 'node:fs'

const nodeMajorMin = 24

if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  console.error(`carillon needs Node ${nodeMajorMin} or newer; ${process.execPath} is ${process.version}`)
  process.exit(1)
}

// A clone has src/ and runs it: a dist/ beside it may be an older build. The package has dist/ only.
const source = new URL('../src/main.ts', import.meta.url)
await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href)
