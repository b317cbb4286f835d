import { existsSync } from 'node:fs'
import { after } from 'node:test'
import { type Browser, chromium } from 'playwright-core'

const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const program = programs.find((path) => existsSync(path))

/** Why there is no browser here. */
export const missingBrowser = program === undefined && 'Chromium is not installed'

/** A browser that is closed after the tests of the file. */
export async function launchChromium(args: string[] = []): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: program!,
    args: ['--disable-gpu', '--disable-dev-shm-usage', ...args],
  })
  after(() => browser.close())
  return browser
}
