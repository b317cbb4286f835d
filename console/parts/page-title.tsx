import type { ReactNode } from 'react'
import { useTitle } from './use-title.ts'

interface Props {
  title: string
  /** One sentence that says what the page is for. */
  children?: ReactNode
  actions?: ReactNode
}

export function PageTitle({ title, children, actions }: Props) {
  useTitle(title)
  return (
    <div className="page-title">
      <div>
        <h1>{title}</h1>
        {children && <p className="quiet">{children}</p>}
      </div>
      {actions}
    </div>
  )
}
