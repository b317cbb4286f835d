export { handler } from '../../examples/processors/redact-personal-data.mjs'
