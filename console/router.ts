import { useWatched, Watched } from './watched.ts'

interface Place {
  path: string
  query: URLSearchParams
}

const placeNow = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) })
const place = new Watched(placeNow())

export const usePlace = (): Place => useWatched(place)

export function navigate(to: string): void {
  history.pushState(null, '', to)
  place.set(placeNow())
  scrollTo(0, 0)
}

/** Replaces the path, without a new entry in the history. */
export function changePath(to: string): void {
  history.replaceState(null, '', to)
  place.set(placeNow())
}

/** Changes the query without a new entry in the history: an undefined or empty value deletes its parameter. */
export function changeQuery(changes: Record<string, string | undefined>): void {
  const query = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value)
    else query.delete(name)
  }
  changePath([location.pathname, query].filter(String).join('?'))
}

/** From now on plain clicks on links of this console change the page without loading it again. */
export function followLinks(): void {
  addEventListener('popstate', () => place.set(placeNow()))
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!link || event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    if (link.origin !== location.origin || link.target !== '' || link.hasAttribute('download')) return
    if (link.hash !== '') return
    event.preventDefault()
    navigate(link.pathname + link.search)
  })
}
