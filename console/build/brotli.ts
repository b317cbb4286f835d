import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress } from 'node:zlib'
import type { Plugin } from 'vite'

const compress = promisify(brotliCompress)
const isText = (name: string) => /\.(js|css|html|svg)$/.test(name)

/**
 * Writes NAME.br beside each file of text, so that the server compresses nothing. Only what is written is final: Vite
 * still changes the files after the hooks of all plugins that see them before.
 */
export const brotli = (): Plugin => ({
  name: 'brotli',
  apply: 'build',
  async writeBundle({ dir = '' }, bundle) {
    const texts = Object.values(bundle).filter(({ fileName }) => isText(fileName))
    const write = async (file: (typeof texts)[number]) =>
      writeFile(join(dir, `${file.fileName}.br`), await compress(file.type === 'chunk' ? file.code : file.source))
    await Promise.all(texts.map(write))
  },
})
