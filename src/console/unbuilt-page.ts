import type { BuiltFile, Unbuilt } from './pages.ts'

const texts: Record<Unbuilt, string> = {
  building: 'The console is being built. This takes about half a minute, once; the page then opens by itself.',
  failed:
    'The console could not be built. The log of the server has the reason. When it is repaired, restart the server.',
  missing: 'This copy of Carillon has no console: it has neither the built pages nor their sources.',
}

export const reloadPath = '/reload.js'

/** A `<meta http-equiv="refresh">` would not reload a page whose address has a `#`, as a link to the console has. */
export const reloadScript: BuiltFile = {
  type: 'text/javascript; charset=utf-8',
  isImmutable: false,
  body: Buffer.from('setTimeout(() => location.reload(), 2_000)\n'),
  brotli: undefined,
}

/** For the time before the console is built. */
export const unbuiltPage = (state: Unbuilt): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
${state === 'building' ? `<script src="${reloadPath}"></script>\n` : ''}<title>Carillon</title>
<p>${texts[state]}</p>
</html>
`
