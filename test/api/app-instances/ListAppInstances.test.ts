import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()

test('ListAppInstances lists all of the server by ARN, with their names and metadata and without their times, until they are deleted', async () => {
  assert.deepEqual((await server.identity.listAppInstances({})).AppInstances, [])
  const created = [{ Name: 'Bells 🔔', Metadata: 'm\0' }, { Name: 'Chimes' }, { Name: 'Carillon' }]
  const expected = []
  for (const input of created) {
    const { AppInstanceArn } = await server.identity.createAppInstance(input)
    expected.push({ AppInstanceArn, ...input })
  }
  expected.sort((a, b) => (a.AppInstanceArn! < b.AppInstanceArn! ? -1 : 1))
  const { AppInstances, NextToken } = await server.identity.listAppInstances({})
  assert.deepEqual(AppInstances, expected)
  assert.equal(NextToken, undefined)
  const [first, ...rest] = expected
  await server.identity.deleteAppInstance({ AppInstanceArn: first!.AppInstanceArn })
  assert.deepEqual((await server.identity.listAppInstances({})).AppInstances, rest)
})
