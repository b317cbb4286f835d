import { type Cipheriv, createCipheriv, createDecipheriv } from 'node:crypto'

const algorithm = 'aes-256-ecb'
/** 40 bits of milliseconds since then last until 2058. */
const epochMs = Date.UTC(2024, 0, 1)
const timeRange = 2 ** 40
/** Only an id that was made here decrypts to these bytes at its end. */
const mark = 0x43_4d
const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * MessageIds of the form of a UUID, one encrypted block each: the number of the channel (40 bits), the time (40), a counter
 * with a random start (32), a mark (16). An operator finds the message by its id alone. Without the secret, an id contains no
 * information and cannot be forged.
 */
export class MessageIds {
  readonly #secret: Buffer
  /** One for all ids: every block is encrypted by itself. */
  readonly #cipher: Cipheriv
  #counter: number

  /** `secret`: 32 bytes, the same on all nodes. */
  constructor(secret: Buffer, random: () => number) {
    this.#secret = secret
    this.#cipher = createCipheriv(algorithm, secret, null).setAutoPadding(false)
    this.#counter = Math.floor(random() * 2 ** 32)
  }

  create(channelId: number, nowMs: number): string {
    this.#counter = (this.#counter + 1) % 2 ** 32
    const block = Buffer.allocUnsafe(16)
    block.writeUIntBE(channelId, 0, 5)
    block.writeUIntBE((((nowMs - epochMs) % timeRange) + timeRange) % timeRange, 5, 5)
    block.writeUInt32BE(this.#counter, 10)
    block.writeUInt16BE(mark, 14)
    const hex = this.#cipher.update(block).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  /** The number of the message's channel; undefined if no node of this store made the id. */
  channelIdOf(messageId: string): number | undefined {
    if (!idPattern.test(messageId)) return undefined
    const decipher = createDecipheriv(algorithm, this.#secret, null).setAutoPadding(false)
    const block = decipher.update(Buffer.from(messageId.replaceAll('-', ''), 'hex'))
    return block.readUInt16BE(14) === mark ? block.readUIntBE(0, 5) : undefined
  }
}
