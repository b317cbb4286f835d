import { Component, type ReactNode } from 'react'
import { Failure } from './failure.tsx'

/** Shows the error of a page that could not be loaded or drawn, in place of the page. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {}

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render() {
    const { error } = this.state
    if (!error) return this.props.children
    return <Failure what="This page could not be shown" error={error} retry={() => location.reload()} />
  }
}
