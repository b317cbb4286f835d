import { useEffect, useEffectEvent } from 'react'
import { useWatched } from '../watched.ts'
import { type Frame, latestFrame } from './live.ts'

export const useFrame = (): Frame | undefined => useWatched(latestFrame)

/** Calls the listener with each frame from now on. */
export function useFrames(listener: (frame: Frame) => void): void {
  const onFrame = useEffectEvent(listener)
  useEffect(() => latestFrame.subscribe(() => latestFrame.value && onFrame(latestFrame.value)), [])
}
