import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Made by `npm run test:setup`; else what the machine has. */
const candidates = [join(import.meta.dirname, '../clients/python/bin/python'), 'python3']

/** An older boto3, as that of Debian 12, ignores AWS_ENDPOINT_URL and would call AWS. */
const recentBoto3 = 'import boto3, botocore; assert [int(n) for n in botocore.__version__.split(".")[:2]] >= [1, 31]'

/** A Python that has these modules, or why there is none. */
export function findPython(modules: string[]): { python: string; missing: false } | { python: ''; missing: string } {
  const program = modules.map((name) => (name === 'boto3' ? recentBoto3 : `import ${name}`)).join('; ')
  const python = candidates.find((candidate) => spawnSync(candidate, ['-c', program]).status === 0)
  if (python) return { python, missing: false }
  return { python: '', missing: `there is no python3 with ${modules.join(' and ')}, of today` }
}
