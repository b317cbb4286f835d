import { useCallback, useEffect, useState } from 'react'

export interface Loaded<Value> {
  /** The last value that could be loaded: it stays while the next one is loading. */
  value: Value | undefined
  error: Error | undefined
  isLoading: boolean
  /** When the value was read, in milliseconds since the epoch; 0 before that. */
  readAtMs: number
  reload(): void
}

/** Loads a value, and again whenever `key` changes: it must name everything that the value depends on. */
export function useLoaded<Value>(key: string, load: (signal: AbortSignal) => Promise<Value>): Loaded<Value> {
  const [round, setRound] = useState(0)
  const [state, setState] = useState<{
    key: string
    value?: Value
    error?: Error
    isLoading: boolean
    readAtMs: number
  }>({
    key,
    isLoading: true,
    readAtMs: 0,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for what `load` depends on
  useEffect(() => {
    const abort = new AbortController()
    setState((before) => (before.key === key ? { ...before, isLoading: true } : { key, isLoading: true, readAtMs: 0 }))
    load(abort.signal).then(
      (value) => abort.signal.aborted || setState({ key, value, isLoading: false, readAtMs: Date.now() }),
      (error) =>
        abort.signal.aborted ||
        setState(({ value, readAtMs }) => ({
          key,
          ...(value !== undefined && { value }),
          error,
          isLoading: false,
          readAtMs,
        })),
    )
    return () => abort.abort()
  }, [key, round])
  const reload = useCallback(() => setRound((before) => before + 1), [])
  return { value: state.value, error: state.error, isLoading: state.isLoading, readAtMs: state.readAtMs, reload }
}
