import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Version } from '../bench.ts'
import type { Scratch } from './scratch.ts'

/** A version as it is released. */
export interface Build {
  /** `dist/main.js`. */
  main: string
}

/** As `npm run build` does, in a folder of its own: the working tree is left alone. */
export function build({ root }: Version, scratch: Scratch): Build {
  const folder = scratch.folder('build')
  const dist = join(folder, 'dist')
  const compiler = join(root, 'node_modules/.bin/tsc')
  execFileSync(compiler, ['-p', join(root, 'tsconfig.build.json'), '--outDir', dist], { stdio: ['ignore', 2, 2] })
  cpSync(join(root, 'src/store/migrations'), join(dist, 'store/migrations'), { recursive: true })
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return { main: join(dist, 'main.js') }
}
