import type { Unbuilt } from './pages.ts'

const texts: Record<Unbuilt, string> = {
  building: 'The console is being built. This takes about half a minute, once; the page then opens by itself.',
  failed:
    'The console could not be built. The log of the server has the reason. When it is repaired, restart the server.',
  missing: 'This copy of Carillon has no console: it has neither the built pages nor their sources.',
}

/** For the time before the console is built. It needs no script, which the server's policy would not allow in a page. */
export const unbuiltPage = (state: Unbuilt): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
${state === 'building' ? '<meta http-equiv="refresh" content="2">\n' : ''}<title>Carillon</title>
<p>${texts[state]}</p>
</html>
`
