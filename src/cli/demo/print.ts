import { styleText } from 'node:util'
import type { Report } from './play.ts'
import { type Seen, scenarios } from './scenarios.ts'
import { type Line, Table } from './table.ts'

/** 98 columns in all. */
const table = new Table([
  { title: '', width: 1 },
  { title: 'Message and flow', width: 31 },
  { title: 'Sender saw', width: 14 },
  { title: 'Recipient saw', width: 30 },
  { title: 'Time', width: 6, align: 'right' },
])

export function printIntroduction(): void {
  console.log(`
${styleText('bold', 'Carillon')}: Ann sends ${scenarios.length} messages to Bob, each through a channel flow of its own.
The AWS SDK makes the calls, amazon-chime-sdk-js holds the messaging sessions, both as published.
`)
}

export function printHead(): void {
  console.log(table.head())
}

export function printRow({ scenario, sender, recipient, tookMs, problems }: Report): void {
  const mark: Line = problems.length === 0 ? { text: '✓', style: 'green' } : { text: '✗', style: 'red' }
  const took = tookMs === undefined ? '' : `${(tookMs / 1000).toFixed(2)} s`
  const flow: Line[] = [{ text: `"${scenario.text}"` }, { text: scenario.title }]
  const events = sender.map(({ event }): Line => ({ text: event, style: colourOf(event) }))
  console.log(table.row([[mark], flow, events, recipientCell(recipient), [{ text: took }]]))
}

function recipientCell(seen: Seen[]): Line[] {
  if (seen.length === 0) return [{ text: 'nothing', style: 'dim' }]
  return seen.flatMap(({ event, text }) => [{ text: event, style: colourOf(event) }, { text: `"${text}"` }])
}

function colourOf(event: string): NonNullable<Line['style']> {
  if (event.startsWith('PENDING')) return 'yellow'
  return event.startsWith('DENIED') || event.startsWith('FAILED') ? 'red' : 'green'
}

export function printResult(reports: Report[], tookMs: number): void {
  console.log(table.foot())
  const broken = reports.filter(({ problems }) => problems.length > 0)
  console.log(broken.length === 0 ? success(tookMs) : failure(broken))
}

const success = (tookMs: number) => `
All messages had the expected outcome, in ${(tookMs / 1000).toFixed(1)} s. The status and the history of each message agree.

Next:
  npx carillon serve    starts a server with the processors in examples/processors
  README.md             shows how to call it by hand, and to change a processor while it runs
`

const failure = (broken: Report[]) => `
Some messages did not have the expected outcome:
${broken.flatMap(({ scenario, problems }) => problems.map((problem) => `  ${scenario.title}: ${problem}`)).join('\n')}
`
