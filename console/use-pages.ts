import { useEffect, useRef, useState } from 'react'
import type { Page } from './server/messages.ts'

export interface Pages<Message> {
  messages: Message[]
  /** The last page that was read. */
  last: Page<Message> | undefined
  error: Error | undefined
  isLoading: boolean
  /** Reads the next page. */
  more(): void
  /** Reads the first page again, and shows it in place of all. */
  reload(): void
}

type State<Message> = Pick<Pages<Message>, 'messages' | 'last' | 'error' | 'isLoading'>

/** A list that is read page by page, and from its start whenever `key` changes: it must name all of the filters. */
export function usePages<Message>(
  key: string,
  load: (token: string | undefined, signal: AbortSignal) => Promise<Page<Message>>,
): Pages<Message> {
  const empty: State<Message> = { messages: [], last: undefined, error: undefined, isLoading: true }
  const [state, setState] = useState({ key, ...empty })
  const abort = useRef(new AbortController())
  const read = (token?: string) => {
    abort.current.abort()
    abort.current = new AbortController()
    const { signal } = abort.current
    setState((before) => (before.key === key ? { ...before, isLoading: true } : { key, ...empty }))
    load(token, signal).then(
      (last) =>
        signal.aborted ||
        setState(({ messages }) => {
          const shown = token === undefined ? last.Messages : [...messages, ...last.Messages]
          return { key, messages: shown, last, error: undefined, isLoading: false }
        }),
      (error) => signal.aborted || setState((before) => ({ ...before, error, isLoading: false })),
    )
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for what `load` depends on
  useEffect(() => {
    read()
    return () => abort.current.abort()
  }, [key])
  const shown = state.key === key ? state : empty
  return { ...shown, more: () => read(state.last?.NextToken), reload: () => read() }
}
