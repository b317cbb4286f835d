import Button from '@cloudscape-design/components/button'
import Input from '@cloudscape-design/components/input'
import { type FormEvent, useState } from 'react'
import { navigate } from '../../router.ts'

export function FindById() {
  const [id, setId] = useState('')
  const find = (event: FormEvent) => {
    event.preventDefault()
    if (id.trim() !== '') navigate(`/messages/${encodeURIComponent(id.trim())}`)
  }
  return (
    <form className="find" onSubmit={find}>
      <Input
        value={id}
        onChange={({ detail }) => setId(detail.value)}
        type="search"
        placeholder="MessageId"
        ariaLabel="MessageId"
        clearAriaLabel="Clear"
        spellcheck={false}
      />
      <Button formAction="submit">Find</Button>
    </form>
  )
}
