import { applyMode, Mode } from '@cloudscape-design/global-styles'
import { Watched } from './watched.ts'

export type Appearance = 'system' | 'light' | 'dark'

const storedAs = 'carillon-appearance'
const systemIsDark = matchMedia('(prefers-color-scheme: dark)')

const stored = (): Appearance => {
  const value = localStorage.getItem(storedAs)
  return value === 'light' || value === 'dark' ? value : 'system'
}

export const appearance = new Watched<Appearance>(stored())

export function setAppearance(value: Appearance): void {
  localStorage.setItem(storedAs, value)
  appearance.set(value)
}

/** Keeps the page in the appearance that the reader has chosen. */
export function applyAppearance(): void {
  const apply = () => {
    const isDark = appearance.value === 'system' ? systemIsDark.matches : appearance.value === 'dark'
    applyMode(isDark ? Mode.Dark : Mode.Light)
    document.documentElement.style.colorScheme = isDark ? 'dark' : 'light'
  }
  apply()
  appearance.subscribe(apply)
  systemIsDark.addEventListener('change', apply)
}
