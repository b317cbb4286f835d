import { join } from 'node:path'
import type { Page } from 'playwright-core'

const folder = join(import.meta.dirname, '../../docs/pictures')

/** With CARILLON_UPDATE_PICTURES=1 the tests of the console write the pictures of docs/console.md. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env.CARILLON_UPDATE_PICTURES !== '1') return
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' })
}
