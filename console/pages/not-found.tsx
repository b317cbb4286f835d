import { useTitle } from '../parts/use-title.ts'

export function NotFound() {
  useTitle('No such page')
  return (
    <div className="card">
      <h1>There is no such page</h1>
      <p>
        The address may have a typing error. <a href="/messages">Look for a message</a>, or see{' '}
        <a href="/processors">the processors</a>.
      </p>
    </div>
  )
}
