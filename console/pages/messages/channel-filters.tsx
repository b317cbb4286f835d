import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import Select from '@cloudscape-design/components/select'
import { useEffect, useId, useState } from 'react'
import { changeQuery, usePlace } from '../../router.ts'

const anyStatus = { value: '', label: 'Any status' }
const statuses = [
  anyStatus,
  { value: 'PENDING', label: 'Pending' },
  { value: 'SENT', label: 'Sent' },
  { value: 'DENIED', label: 'Denied' },
  { value: 'FAILED', label: 'Failed' },
]

export function ChannelFilters() {
  const { query } = usePlace()
  const status = statuses.find(({ value }) => value === query.get('status')) ?? anyStatus
  return (
    <div className="filters">
      <FormField label="Channel" stretch className="filters-wide">
        <QueryInput name="channel" placeholder="arn:aws:chime:…/channel/…" />
      </FormField>
      <FormField label="Sender" stretch className="filters-wide">
        <QueryInput name="sender" placeholder="arn:aws:chime:…/user/…" />
      </FormField>
      <FormField label="Status">
        <Select
          options={statuses}
          selectedOption={status}
          onChange={({ detail }) => changeQuery({ status: detail.selectedOption.value })}
        />
      </FormField>
      <TimeInput name="from" label="From" />
      <TimeInput name="to" label="Until" />
    </div>
  )
}

/** Changes the address when the reader pauses, not with each letter. */
function QueryInput({ name, placeholder }: { name: string; placeholder: string }) {
  const { query } = usePlace()
  const inAddress = query.get(name) ?? ''
  const [value, setValue] = useState(inAddress)
  useEffect(() => setValue(inAddress), [inAddress])
  useEffect(() => {
    const timer = setTimeout(() => changeQuery({ [name]: value.trim() }), 400)
    return () => clearTimeout(timer)
  }, [name, value])
  return (
    <Input
      value={value}
      onChange={({ detail }) => setValue(detail.value)}
      placeholder={placeholder}
      type="search"
      clearAriaLabel="Clear"
      spellcheck={false}
    />
  )
}

/** The browser's own input: it knows the reader's zone and keyboard. */
function TimeInput({ name, label }: { name: string; label: string }) {
  const { query } = usePlace()
  const id = useId()
  return (
    <div className="time-input">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="datetime-local"
        value={query.get(name) ?? ''}
        onChange={({ target }) => changeQuery({ [name]: target.value })}
      />
    </div>
  )
}
