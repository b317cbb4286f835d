import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'

/** A call before it is signed. */
export interface UnsignedCall {
  method: string
  /** Path and query as they are sent. */
  target: string
  /** Names in lower case, `host` among them. */
  headers: Record<string, string>
  body?: string | Uint8Array
}

interface SignWith {
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  signingDate: Date
  region?: string
  service?: string
  /** Whether x-amz-content-sha256 is sent: AWS's JavaScript SDK does, boto and the AWS CLI do not. */
  applyChecksum?: boolean
}

interface PresignWith {
  expiresInSeconds: number
  /** Headers that begin with `x-amz-` and stay where they are, instead of moving into the query. */
  unhoistableHeaders?: Set<string>
}

/** Signs a call with the signer of AWS's JavaScript SDK, set up as the SDK's Chime clients set it up. */
export async function sign(call: UnsignedCall, options: SignWith) {
  const signed = await signer(options).sign(toSdk(call), { signingDate: options.signingDate })
  return { method: call.method, target: call.target, headers: signed.headers, body: Buffer.from(call.body ?? '') }
}

/** The parameters of a presigned URL, including those of the call's own query; not encoded. */
export async function presign(call: UnsignedCall, options: SignWith & PresignWith) {
  const { signingDate, expiresInSeconds: expiresIn, unhoistableHeaders } = options
  const presigned = await signer(options).presign(toSdk(call), {
    signingDate,
    expiresIn,
    ...(unhoistableHeaders && { unhoistableHeaders }),
  })
  return Object.entries(presigned.query ?? {}).map(([name, value]) => [name, String(value)] as const)
}

const signer = ({ credentials, region = 'us-east-1', service = 'chime', applyChecksum = true }: SignWith) =>
  new SignatureV4({ credentials, region, service, applyChecksum, uriEscapePath: true, sha256 })

function toSdk({ method, target, headers, body }: UnsignedCall) {
  const [path = '', query = ''] = target.split('?')
  return { method, protocol: 'http:', hostname: 'localhost', path, query: parametersOf(query), headers, body }
}

function parametersOf(query: string): Record<string, string[]> {
  const parameters = new URLSearchParams(query.replaceAll('+', '%2B'))
  return Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name)]))
}

/** The hash that the signer wants to be given. It hands over strings and bytes, though its types allow more. */
class Sha256 {
  readonly #secret: string | Uint8Array | undefined
  #chunks: Uint8Array[] = []

  constructor(secret?: string | Uint8Array) {
    this.#secret = secret
  }

  update(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
  }

  async digest(): Promise<Uint8Array> {
    const hash = this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret)
    return hash.update(Buffer.concat(this.#chunks)).digest()
  }

  reset(): void {
    this.#chunks = []
  }
}

const sha256 = Sha256 as ConstructorParameters<typeof SignatureV4>[0]['sha256']
