import { useFrame } from '../../live/use-live.ts'
import { listProcessors, type Processor } from '../../server/processors.ts'
import { type Loaded, useLoaded } from '../../use-loaded.ts'

/** The processors as the server last said, by a frame or when it was asked. */
export function useProcessors(): Loaded<Processor[]> {
  const frame = useFrame()
  const loaded = useLoaded('processors', listProcessors)
  if (!frame || frame.processors.length === 0 || frame.receivedAtMs < loaded.readAtMs) return loaded
  return { ...loaded, value: frame.processors, error: undefined }
}
