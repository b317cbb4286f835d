import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { applyAppearance } from './appearance.ts'
import { followLinks } from './router.ts'
import 'virtual:theme.css'
import './styles/base.css'
import './styles/pages.css'
import './styles/shell.css'

applyAppearance()
followLinks()
createRoot(document.getElementById('console')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
