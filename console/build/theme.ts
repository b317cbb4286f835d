import { build } from 'esbuild'
import type { Plugin } from 'vite'

const accent = { light: '#3f51b5', dark: '#9fa8ff' }
const accentHover = { light: '#2c3a94', dark: '#c3c9ff' }
const accentActive = { light: '#1f2a70', dark: '#c3c9ff' }

const tokens = {
  fontFamilyBase: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  colorTextAccent: accent,
  colorTextLinkDefault: accent,
  colorTextLinkHover: accentHover,
  colorBackgroundButtonPrimaryDefault: accent,
  colorBackgroundButtonPrimaryHover: accentHover,
  colorBackgroundButtonPrimaryActive: accentActive,
  borderRadiusContainer: '12px',
  borderRadiusButton: '8px',
  borderRadiusInput: '8px',
}

const id = 'virtual:theme.css'

/** Our tokens for Cloudscape as a style sheet: applied while the page runs, they would need an inline style. */
export const theme = (): Plugin => ({
  name: 'theme',
  resolveId: (source) => (source === id ? `\0${id}` : undefined),
  load: (source) => (source === `\0${id}` ? styleSheet() : undefined),
})

/** Cloudscape's generator has imports that only a bundler resolves. */
async function styleSheet(): Promise<string> {
  const contents = `import { generateThemeStylesheet } from '@cloudscape-design/components/theming'
    export default generateThemeStylesheet({ theme: { tokens: ${JSON.stringify(tokens)} } })`
  const stdin = { contents, resolveDir: import.meta.dirname }
  const { outputFiles } = await build({ stdin, bundle: true, format: 'esm', write: false })
  const script = Buffer.from(outputFiles[0]!.contents).toString('base64')
  return (await import(`data:text/javascript;base64,${script}`)).default
}
