import assert from 'node:assert/strict'
import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { buildPages } from '../../src/console/build.ts'
import { launchChromium } from '../support/chromium.ts'
import { startTestServer, type TestServer } from '../support/running-server.ts'

/** A build of the pages, and a page on a loaded machine, have so long. */
const waitMsMax = 90_000

/** Refused calls and connections, which the page itself shows. What the policy blocks is an error. */
const shownToTheReader =
  /^(Failed to load resource|WebSocket connection to .* failed: Error during WebSocket handshake)/

type ServerOptions = NonNullable<Parameters<typeof startTestServer>[0]>

/** A real server with the console's port, and a browser. An error on any of its pages fails the test file. */
export class ConsolePages {
  readonly server: TestServer
  readonly #browser: Browser
  readonly #errors: string[] = []

  constructor(server: TestServer, browser: Browser) {
    this.server = server
    this.#browser = browser
  }

  static async start(options: ServerOptions = {}, browserArgs: string[] = []): Promise<ConsolePages> {
    await buildIfStale()
    const server = await startTestServer({
      ...options,
      withPages: true,
      flags: ['--admin-port', '0', ...(options.flags ?? [])],
    })
    const pages = new ConsolePages(server, await launchChromium(browserArgs))
    after(() => assert.deepEqual(pages.#errors, [], 'errors on the pages'))
    return pages
  }

  get origin(): string {
    return this.server.endpoint.admin ?? assert.fail('there is no admin port')
  }

  async link(): Promise<string> {
    return `${this.origin}/#token=${await this.server.consoleToken()}`
  }

  /** A page of a browser that knows nothing of this server. */
  async page(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext(options)
    context.setDefaultTimeout(waitMsMax)
    const page = await context.newPage()
    page.on('pageerror', (error) => this.#errors.push(error.stack ?? error.message))
    page.on('console', (message) => {
      const text = message.text()
      if (message.type() === 'error' && !shownToTheReader.test(text)) this.#errors.push(text)
    })
    return page
  }

  /** A page that is signed in by a link, at this path. */
  async signedIn(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.page(options)
    await page.goto(`${this.origin}${path}#token=${await this.server.consoleToken()}`)
    await page.getByRole('navigation', { name: 'Pages' }).waitFor()
    return page
  }

  /** A page that is signed in by a new operator's key. */
  async signedInBy(key: object, path = '/'): Promise<Page> {
    const page = await this.page()
    await page.goto(this.origin + path)
    await enterKey(page, await this.server.createKey({ Kind: 'OPERATOR', ...key }))
    await page.getByRole('navigation', { name: 'Pages' }).waitFor()
    return page
  }
}

/** While a server builds pages anew, it serves the previous ones: the tests need those of the sources. */
async function buildIfStale(): Promise<void> {
  const root = join(import.meta.dirname, '../..')
  const folder = join(root, 'dist', 'console-pages')
  const timeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const changedAt = Math.max(...globSync('console/**', { cwd: root }).map((path) => timeOf(join(root, path))))
  if (changedAt <= timeOf(join(folder, 'index.html'))) return
  assert.equal(await buildPages(root, folder).ended, undefined, 'the pages could not be built')
}

export async function enterKey(page: Page, key: { accessKeyId: string; secretAccessKey: string }): Promise<void> {
  await page.getByLabel('Access key ID').fill(key.accessKeyId)
  await page.getByLabel('Secret access key').fill(key.secretAccessKey)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
