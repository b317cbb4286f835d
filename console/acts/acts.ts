import type { Operation } from '../server/messages.ts'

/** A message on which a person acts. */
export interface HeldMessage {
  MessageId: string
  ChannelArn: string
}

interface ActTexts {
  /** On the button. */
  name: string
  consequence: string
  /** `12 messages were denied`. */
  past: string
}

export const actTexts: Record<Operation, ActTexts> = {
  complete: {
    name: 'Complete',
    consequence: 'As if the processor had allowed it: the next processor gets the message, or its members see it.',
    past: 'completed',
  },
  deny: {
    name: 'Deny',
    consequence: 'The text is deleted, and no member sees it. The sender reads the reason.',
    past: 'denied',
  },
  extend: { name: 'Extend', consequence: 'The deadline moves: the processor has more time.', past: 'extended' },
  again: {
    name: 'Again',
    consequence: 'The processor is called again, with the same CallbackId and all of its attempts.',
    past: 'queued for its processor again',
  },
  fail: {
    name: 'Fail',
    consequence: 'The message ends without a verdict. No member sees it, and its sender is notified.',
    past: 'ended as failed',
  },
}

export const countText = (count: number): string => (count === 1 ? 'this message' : `${count} messages`)

/** `1 message was denied.` */
export const summaryText = (act: Operation, count: number): string =>
  `${count === 1 ? '1 message was' : `${count} messages were`} ${actTexts[act].past}.`
