import type { Credentials } from '../../keys/key.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { RunningServer } from '../../server.ts'
import { signRequest } from '../../signature/sign-request.ts'

/** Creates a key for the user by CreateKey, which no SDK of AWS has: the root key signs it. */
export async function createUserKey(
  { endpoint, credentials }: Pick<RunningServer, 'endpoint' | 'credentials'>,
  userArn: string,
): Promise<Credentials> {
  const { host, origin } = new URL(endpoint.http)
  const call = {
    method: 'POST',
    target: '/carillon/v1/keys',
    headers: { host },
    body: JSON.stringify({ Kind: 'USER', SubjectArn: userArn }),
  }
  const headers = signRequest(call, credentials, { region: endpoint.region, service: 'chime' }, systemClock.now())
  const response = await fetch(origin + call.target, { method: call.method, headers, body: call.body })
  if (response.status !== 201) throw new Error(`CreateKey failed: ${response.status} ${await response.text()}`)
  const { AccessKeyId, SecretAccessKey } = (await response.json()) as { AccessKeyId: string; SecretAccessKey: string }
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }
}
