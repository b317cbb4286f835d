import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operations } from '../../src/api/index.ts'

test('an operation with a bearer names it first of its resources: what a key may do is asked of that', () => {
  for (const { name, input, resources } of operations) {
    assert.equal(resources.indexOf('ChimeBearer'), 'ChimeBearer' in input.properties ? 0 : -1, name)
  }
})

test('an operation names every ARN in its path or its query as a resource', () => {
  for (const { name, input, resources, pathTemplate } of operations) {
    const labels = [...pathTemplate.matchAll(/\{(\w+Arn)\}/g)].map(([, label]) => label as string)
    for (const label of labels) assert.ok(resources.includes(label), `${name}: add ${label} to its resources`)
    for (const resource of resources) assert.ok(resource in input.properties, `${name} has no ${resource}`)
  }
})

test('an operation with a ClientRequestToken declares the scope of its uniqueness', () => {
  for (const { name, input, tokenScope } of operations) {
    assert.equal(tokenScope !== undefined, 'ClientRequestToken' in input.properties, `${name}: tokenScope`)
    if (tokenScope && tokenScope !== 'caller') assert.ok(tokenScope in input.properties, `${name} has no ${tokenScope}`)
  }
})
