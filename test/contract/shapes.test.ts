import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import * as shapes from '../../src/contract/shapes.ts'
import type { Keywords } from './wire-form.ts'

/* What the shapes accept, tried with values. That their limits are those of AWS is for facts.test.ts. */

const ourShapes = Object.entries(shapes as Record<string, TSchema>)
const shapeOf = (name: string) => (shapes as Record<string, TSchema>)[name]!
const accepts = (name: string, value: unknown) => Compile(shapeOf(name)).Check(value)

/** Of texts with limits, the repeated part that their pattern allows; ARNs have limits for their parts. */
const repeatable: Record<string, string> = {
  ChannelId: 'a',
  UserId: 'a',
  MessageId: '-',
  SubChannelId: '_',
  ClientRequestToken: 'A',
  IdentityClientRequestToken: '9',
}

for (const [name, schema] of ourShapes) {
  const { minLength, maxLength, minimum, maximum } = schema as Keywords
  if (name.endsWith('Arn')) continue

  if (minLength !== undefined) {
    test(`${name} is as short and as long as it may be, counted in code points`, () => {
      const text = (length: number) => (repeatable[name] ?? '😀').repeat(length)
      assert.ok(accepts(name, text(minLength)))
      if (minLength > 0) assert.ok(!accepts(name, text(minLength - 1)))
      assert.ok(accepts(name, text(maxLength ?? 100_000)))
      if (maxLength !== undefined) assert.ok(!accepts(name, text(maxLength + 1)))
    })
  }

  if (minimum !== undefined) {
    test(`${name} is as small and as large as it may be, and whole`, () => {
      assert.ok(accepts(name, minimum) && !accepts(name, minimum - 1) && !accepts(name, minimum + 0.5))
      assert.ok(accepts(name, maximum ?? 2 ** 31))
      if (maximum !== undefined) assert.ok(!accepts(name, maximum + 1))
    })
  }
}

const arn = 'arn:aws:chime:us-east-1:111122223333:app-instance/A'
const functionArn = 'arn:aws:lambda:us-east-1:111122223333:function:redact'
const samples: Record<string, { good: string[]; bad: string[] }> = {
  ChimeArn: {
    good: [
      arn,
      `${arn}/channel/ü :@`,
      'arn:a::::b',
      `arn:a.b-c:::1:${'😀'.repeat(1024)}`,
      `arn:${'a'.repeat(63)}::::b`,
    ],
    bad: [
      '',
      'arn:',
      'app-instance/A',
      ` ${arn}`,
      'ARN:aws:chime:::A',
      'arn:::::b',
      'arn:a:::b',
      'arn:a::::/b',
      'arn:a::::b\nc',
      'arn:aws:Chime:::A',
      `arn:a::::${'😀'.repeat(1025)}`,
      `arn:${'a'.repeat(64)}::::b`,
    ],
  },
  LambdaFunctionArn: {
    good: [functionArn, `${functionArn}:$LATEST`, `${functionArn}:live-1`, `${functionArn}.v2`],
    bad: [
      'redact',
      `${functionArn}:`,
      `${functionArn}:$OTHER`,
      `${functionArn}:1:2`,
      functionArn.replace('1111', '111'),
    ],
  },
  ChannelId: {
    good: ['a', 'A9', 'a-b', 'a:b_c.d@e'],
    bad: ['-a', 'a-', 'a b', 'a/b', 'ü', 'a\n', '\na', 'a\\b'],
  },
  UserId: { good: ['user@example.com', '0'], bad: ['@a', 'a.', 'a+b'] },
  ClientRequestToken: { good: ['--', '_9', 'aZ'], bad: ['a.', 'a b', 'ab\n', 'üü'] },
  MessageId: { good: ['0-_Z'], bad: ['a.b', 'a/b', 'a\n'] },
  SubChannelId: { good: ['0-_Z'], bad: ['a.b', 'a/b', 'a\n'] },
  UserName: { good: [' a ', 'a\nb', '😀'], bad: [' ', '\n\t\u00a0'] },
  ResourceName: {
    good: ['', 'a\tb\r\nc', '~', '\u0085', '\u00a0', '\ud7ff', '\ue000', '\ufffd', '\u{10000}', '\u{10ffff}'],
    bad: ['\u0000', '\u0007', 'a\u000b', '\u007f', '\u0080', '\u009f', '\ud800', 'a\udc00', '\ufffe', '\uffff'],
  },
  NonEmptyResourceName: { good: ['Glocke 🔔'], bad: ['\u0007', '\ud83d'] },
  Metadata: { good: ['', 'a\nb', '\u0000'], bad: [] },
  NextToken: { good: ['a\nb', 'a+/='], bad: [] },
  NonEmptyContent: { good: ['\n', '\u0000', '\u2028'], bad: [''] },
}

for (const [name, { good, bad }] of Object.entries(samples)) {
  test(`${name} accepts what its pattern is meant to, and refuses the rest`, () => {
    assert.deepEqual(
      good.filter((text) => !accepts(name, text)),
      [],
    )
    assert.deepEqual(
      bad.filter((text) => accepts(name, text)),
      [],
    )
  })
}
