import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { build } from 'esbuild'
import { launchChromium } from '../support/chromium.ts'

/** Serves `page.mjs`, bundled, as the script of a page. Returns the origin of the page. */
export async function servePage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-page-'))
  after(() => rm(folder, { recursive: true }))
  const outfile = join(folder, 'page.js')
  const entryPoints = [join(import.meta.dirname, 'page.mjs')]
  // Explicit, so that what `require` asks for is also the variant for browsers.
  const mainFields = ['browser', 'module', 'main']
  const define = { global: 'globalThis' }
  await build({
    entryPoints,
    outfile,
    platform: 'browser',
    mainFields,
    define,
    bundle: true,
    format: 'esm',
    logLevel: 'silent',
  })
  const script = await readFile(outfile)
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

/** What `page.mjs` has for the test. */
interface Chat {
  signIn(endpoint: string, token: string): Promise<{ status: number; text?: string; userArn?: string }>
  connect(userArn: string): Promise<'open' | number>
  call(
    service: 'messaging' | 'identity',
    operation: string,
    input: object,
  ): Promise<{ status?: number; error?: string; output?: Record<string, string> }>
  messageWith(content: string): Promise<{ sender: string; content: string }>
}

/** A browser whose pages are those of several people, each with cookies and storage of their own. */
export async function openBrowser() {
  // The certificate of the server is its own.
  const browser = await launchChromium(['--ignore-certificate-errors'])
  return async (origin: string) => {
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(origin)
    await page.waitForFunction('globalThis.chat').catch((error) => {
      throw new Error(errors.join('\n') || 'the page has not loaded', { cause: error })
    })
    const chat = <Name extends keyof Chat>(name: Name, ...args: Parameters<Chat[Name]>): ReturnType<Chat[Name]> =>
      page.evaluate(`chat[${JSON.stringify(name)}](...${JSON.stringify(args)})`) as ReturnType<Chat[Name]>
    return chat
  }
}
