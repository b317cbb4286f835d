import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { runCarillon } from './carillon-process.ts'

/** For users whose password the server must not show. */
export const secret = 'a-password-that-nobody-may-read-anywhere'
export const freePorts = ['--http-port', '0', '--https-port', '0', '--log-level', 'error']

/** The URL with other parts. */
export function changed(
  url: string,
  parts: Partial<Pick<URL, 'port' | 'hostname' | 'username' | 'password' | 'pathname'>>,
) {
  return Object.assign(new URL(url), parts).href
}

/** The one line in which a command says why it cannot go on, without the database's password. */
export async function refusal(
  context: TestContext,
  args: string[],
  environment: { CARILLON_DATABASE_URL: string } & Record<string, string>,
): Promise<string> {
  const { status, stdout, stderr } = await runCarillon(context, args, environment)
  assert.deepEqual([status, stdout], [1, ''], stderr)
  assert.match(stderr, /^carillon: [^\n]+\n$/)
  const { password } = new URL(environment.CARILLON_DATABASE_URL)
  assert.ok(!stderr.includes(secret) && !stderr.includes(password), 'no password is shown')
  return stderr.slice('carillon: '.length, -1)
}
