import { Suspense, useEffect, useRef } from 'react'
import { openLive } from './live/live.ts'
import { useFrame } from './live/use-live.ts'
import { NotFound } from './pages/not-found.tsx'
import { pageAt, pages } from './pages.ts'
import { AccountMenu } from './parts/account-menu.tsx'
import { Brand } from './parts/brand.tsx'
import { ErrorBoundary } from './parts/error-boundary.tsx'
import { LiveState } from './parts/live-state.tsx'
import { Waiting } from './parts/waiting.tsx'
import { changePath, usePlace } from './router.ts'
import { useRights } from './session-context.ts'

/** What surrounds each page: the navigation, the state of the live connection, and the account. */
export function Shell({ onSignedOut }: { onSignedOut(reason: string): void }) {
  const { path } = usePlace()
  const { operates } = useRights()
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  useEffect(openLive, [])
  useEffect(() => {
    if (path === '/') changePath(operates ? '/try-it' : '/messages')
  }, [path, operates])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a screen reader must hear of each new page, not of the first
  useEffect(() => {
    if (!first.current) main.current?.focus()
    first.current = false
  }, [path])
  const page = pageAt(path)
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <a href="/" className="home" aria-label="Carillon, first page">
          <Brand />
        </a>
        <Navigation path={path} />
        <div className="top-end">
          <LiveState />
          <AccountMenu onSignedOut={onSignedOut} />
        </div>
      </header>
      <main id="main" className="page" ref={main} tabIndex={-1}>
        <ErrorBoundary key={path}>
          <Suspense fallback={<Waiting label="Loading the page" fills />}>
            {page ? <page.Page /> : path !== '/' && <NotFound />}
          </Suspense>
        </ErrorBoundary>
      </main>
    </>
  )
}

function Navigation({ path }: { path: string }) {
  const pending = useFrame()?.pending.total ?? 0
  const current = pageAt(path)
  return (
    <nav className="top-pages" aria-label="Pages">
      {pages.map((page) => (
        <a key={page.path} href={page.path} aria-current={page === current ? 'page' : undefined}>
          {page.title}
          {page.path === '/pending' && pending > 0 && (
            <span className="count">
              {countText(pending)}
              <span className="unseen"> held</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  )
}

const countText = (count: number) => (count > 9_999 ? `${Math.floor(count / 1_000)}k` : String(count))
