import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { applyAppearance } from './appearance.ts'
import { pageAt } from './pages.ts'
import { followLinks } from './router.ts'
import 'virtual:theme.css'
import './styles/base.css'
import './styles/pages.css'
import './styles/shell.css'

applyAppearance()
followLinks()
// Loads while the session is asked for. If that fails, the page's rendering says so.
pageAt(location.pathname)
  ?.load()
  .catch(() => {})
createRoot(document.getElementById('console')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
