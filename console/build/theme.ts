import { build } from 'esbuild'
import type { Plugin } from 'vite'

const accent = { light: '#3f51b5', dark: '#9fa8ff' }
const accentHover = { light: '#2c3a94', dark: '#c3c9ff' }
const accentActive = { light: '#1f2a70', dark: '#c3c9ff' }

const accentSoft = { light: '#eceefb', dark: '#232946' }
const ground = { light: '#ffffff', dark: '#171b28' }
const line = { light: '#dfe2ec', dark: '#2c3245' }

const tokens = {
  fontFamilyBase: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  colorTextAccent: accent,
  colorTextLinkDefault: accent,
  colorTextLinkHover: accentHover,
  colorBackgroundButtonPrimaryDefault: accent,
  colorBackgroundButtonPrimaryHover: accentHover,
  colorBackgroundButtonPrimaryActive: accentActive,
  colorTextButtonNormalDefault: accent,
  colorTextButtonNormalHover: accentHover,
  colorTextButtonNormalActive: accentActive,
  colorBorderButtonNormalDefault: line,
  colorBorderButtonNormalHover: accent,
  colorBorderButtonNormalActive: accent,
  colorBackgroundButtonNormalDefault: ground,
  colorBackgroundButtonNormalHover: accentSoft,
  colorBackgroundButtonNormalActive: accentSoft,
  colorBackgroundControlChecked: accent,
  colorBackgroundSegmentActive: accent,
  colorBackgroundContainerContent: ground,
  colorBackgroundContainerHeader: ground,
  colorBorderItemFocused: accent,
  colorBorderItemSelected: accent,
  colorBackgroundItemSelected: accentSoft,
  colorBorderContainerTop: line,
  colorBorderDividerDefault: line,
  colorBorderSegmentWrapper: line,
  borderRadiusContainer: '12px',
  borderRadiusButton: '8px',
  borderRadiusInput: '8px',
  borderWidthButton: '1px',
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
