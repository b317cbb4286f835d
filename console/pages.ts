import { type ComponentType, lazy } from 'react'

interface PageEntry {
  path: string
  title: string
  Page: ComponentType
}

/** The pages in the order of the navigation, each loaded when it is opened first. */
export const pages: PageEntry[] = [
  {
    path: '/try-it',
    title: 'Try it',
    Page: lazy(async () => ({ default: (await import('./pages/try-it/try-it.tsx')).TryIt })),
  },
  {
    path: '/messages',
    title: 'Messages',
    Page: lazy(async () => ({ default: (await import('./pages/messages/messages.tsx')).Messages })),
  },
  {
    path: '/pending',
    title: 'Pending',
    Page: lazy(async () => ({ default: (await import('./pages/pending/pending.tsx')).Pending })),
  },
  {
    path: '/processors',
    title: 'Processors',
    Page: lazy(async () => ({ default: (await import('./pages/processors/processors.tsx')).Processors })),
  },
]

export const pageAt = (path: string): PageEntry | undefined =>
  pages.find((page) => path === page.path || path.startsWith(`${page.path}/`))
