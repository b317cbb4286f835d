import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import type { Credentials } from '../../keys/key.ts'
import type { Endpoint } from '../../runtime/endpoint-files.ts'

/** AWS's published clients. */
export type Sdk = Awaited<ReturnType<typeof loadSdk>>

/** Two of the packages are development dependencies. */
export async function loadSdk() {
  try {
    const [messaging, identity, sessions] = await Promise.all([
      import('@aws-sdk/client-chime-sdk-messaging'),
      import('@aws-sdk/client-chime-sdk-identity'),
      import('amazon-chime-sdk-js'),
    ])
    return { messaging, identity, sessions }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const packages = ['amazon-chime-sdk-js', '@aws-sdk/client-chime-sdk-identity']
    throw new Error(`npx carillon demo needs ${packages.join(' and ')}: npm install ${packages.join(' ')}`)
  }
}

/** Clients of one server. */
export function createClients({ messaging, identity }: Sdk, { http, region }: Endpoint, credentials: Credentials) {
  const options = { endpoint: http, region, credentials }
  return {
    messaging: new messaging.ChimeSDKMessagingClient(options),
    identity: new identity.ChimeSDKIdentityClient(options),
  }
}

export type Clients = ReturnType<typeof createClients>

/** NODE_EXTRA_CA_CERTS does the same, but must be set before a process starts. */
export function trust(caFile: string): void {
  if (!tls.setDefaultCACertificates)
    throw new Error(`npx carillon demo needs Node 24.5 or newer; this is ${process.version}`)
  tls.setDefaultCACertificates([...tls.getCACertificates(), readFileSync(caFile, 'utf8')])
}
