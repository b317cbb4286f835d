import { useEffect, useRef, useState } from 'react'
import type { Output } from '../../live/live.ts'
import { useFrame, useFrames } from '../../live/use-live.ts'
import { Time } from '../../parts/times.tsx'

/** So many lines stay on the page, the latest ones. */
const linesMax = 500

interface Line {
  number: number
  functionName: string
  at: string
  text: string
}

/** What the functions of the flow print, as it happens; and the error of one that is broken. */
export function FunctionOutput({ functionNames }: { functionNames: string[] }) {
  const [lines, setLines] = useState<Line[]>([])
  const list = useRef<HTMLOListElement>(null)
  useFrames(({ output }) => {
    const news = output.filter(({ functionName }) => functionNames.includes(functionName))
    if (news.length > 0) setLines((before) => append(before, news))
  })
  const lastNumber = lines.at(-1)?.number
  useEffect(() => {
    if (lastNumber !== undefined) list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [lastNumber])
  return (
    <section className="card stack-small" aria-label="Output of the functions">
      <h2>Output of the functions</h2>
      <BrokenFunctions functionNames={functionNames} />
      {lines.length === 0 ? (
        <p className="quiet">
          What they print appears here. Change a function's file while this runs: the next message takes the new
          version.
        </p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <ol className="output output-lines" ref={list} tabIndex={0} aria-label="Lines">
          {lines.map(({ number, functionName, at, text }) => (
            <li key={number}>
              <span className="output-source">
                <Time seconds={Date.parse(at) / 1000} /> {functionName}
              </span>
              {text}
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

function append(before: Line[], news: Output[]): Line[] {
  let number = before.at(-1)?.number ?? 0
  const added = news.flatMap(({ functionName, at, lines }) =>
    lines.map((text) => ({ number: ++number, functionName, at, text })),
  )
  return [...before, ...added].slice(-linesMax)
}

function BrokenFunctions({ functionNames }: { functionNames: string[] }) {
  const processors = useFrame()?.processors ?? []
  const broken = processors.filter(({ FunctionName, Error: error }) => error && functionNames.includes(FunctionName))
  return broken.map(({ FunctionName, Error: error }) => (
    <div key={FunctionName} role="alert">
      <strong className="bad">
        {FunctionName} is broken. Correct its file: the next message takes the new version.
      </strong>
      <pre className="output">{error}</pre>
    </div>
  ))
}
