import { promisify } from 'node:util'
import { brotliCompress } from 'node:zlib'
import type { Plugin } from 'vite'

const compress = promisify(brotliCompress)
const isText = (name: string) => /\.(js|css|html|svg)$/.test(name)

/** Writes NAME.br beside each file of text, so that the server compresses nothing. */
export const brotli = (): Plugin => ({
  name: 'brotli',
  apply: 'build',
  enforce: 'post',
  async generateBundle(_options, bundle) {
    const texts = Object.values(bundle).filter(({ fileName }) => isText(fileName))
    const emit = async (file: (typeof texts)[number]) => {
      const source = await compress(file.type === 'chunk' ? file.code : file.source)
      this.emitFile({ type: 'asset', fileName: `${file.fileName}.br`, source })
    }
    await Promise.all(texts.map(emit))
  },
})
