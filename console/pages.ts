import { type ComponentType, lazy } from 'react'

interface PageEntry {
  path: string
  title: string
  Page: ComponentType
  /** Begins to load the page, which its first rendering does otherwise. */
  load(): Promise<unknown>
}

const entry = (path: string, title: string, load: () => Promise<ComponentType>): PageEntry => ({
  path,
  title,
  Page: lazy(async () => ({ default: await load() })),
  load,
})

/** The pages in the order of the navigation. */
export const pages: PageEntry[] = [
  entry('/try-it', 'Try it', async () => (await import('./pages/try-it/try-it.tsx')).TryIt),
  entry('/messages', 'Messages', async () => (await import('./pages/messages/messages.tsx')).Messages),
  entry('/pending', 'Pending', async () => (await import('./pages/pending/pending.tsx')).Pending),
  entry('/processors', 'Processors', async () => (await import('./pages/processors/processors.tsx')).Processors),
]

export const pageAt = (path: string): PageEntry | undefined =>
  pages.find((page) => path === page.path || path.startsWith(`${page.path}/`))
