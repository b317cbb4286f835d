import { passed } from './check.ts'
import { type LastRun, sdks } from './sdks.ts'
import { steps } from './steps.ts'

/** The matrix step × SDK as a Markdown table, with the reasons and the versions below it. */
export function matrixOf(run: LastRun): string {
  const ran = Object.entries(sdks).filter(([key]) => run[key])
  const reasons: string[] = []
  const cell = (outcome = 'not reached') => {
    if (outcome === passed) return passed
    if (!reasons.includes(outcome)) reasons.push(outcome)
    return `– (${reasons.indexOf(outcome) + 1})`
  }
  const rows = steps.map(
    ({ number, name }) => `| ${number} ${name} | ${ran.map(([key]) => cell(run[key]!.outcomes[number])).join(' | ')} |`,
  )
  return [
    `| Step | ${ran.map(([, { name }]) => name).join(' | ')} |`,
    `|---|${'---|'.repeat(ran.length)}`,
    ...rows,
    `| Version | ${ran.map(([key]) => run[key]!.version).join(' | ')} |`,
    '',
    ...reasons.map((reason, index) => `${index + 1}. ${reason}`),
  ]
    .join('\n')
    .trim()
}
