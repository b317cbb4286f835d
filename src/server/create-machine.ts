import { lowLimits } from '../admin/machine-limits.ts'
import type { Readiness } from '../admin/readiness.ts'
import type { ApiParts } from '../api/context.ts'
import type { Config } from '../config.ts'
import type { FunctionTarget } from '../processor/function-target.ts'
import type { Descriptors } from '../runtime/descriptors.ts'

interface Surroundings {
  readiness: Readiness
  functions: Pick<FunctionTarget, 'isAbsent'>
  descriptors: Descriptors
  /** The data folder. */
  folder: string
}

/** What `carillon doctor` asks of this node: its functions, its checks and its limits. */
export function createMachine(
  { lambda }: Config,
  { readiness, functions, descriptors, folder }: Surroundings,
): ApiParts['machine'] {
  return {
    // With an endpoint, a function that is not in the folder may be there.
    isFunctionAbsent: (functionName) => !lambda && functions.isAbsent(functionName),
    async problems() {
      const { checks: results } = await readiness.report()
      const failed = Object.entries(results).filter(([, result]) => result !== 'ok')
      const low = await lowLimits({ descriptors, folder })
      return [
        ...failed.map(([Subject, Problem]) => ({
          Kind: 'CHECK_FAILED' as const,
          Subject,
          Problem,
          Remedy: remedies[Subject] ?? 'look into the log of the server',
        })),
        ...low
          .filter(({ name }) => !failed.some(([failedName]) => failedName === name))
          .map(({ name, problem, remedy }) => ({
            Kind: 'LIMIT_LOW' as const,
            Subject: name,
            Problem: problem,
            Remedy: remedy,
          })),
      ]
    },
  }
}

/** What to do about a check of /readyz that fails, by its name. */
const remedies: Record<string, string> = {
  server: 'wait until it has started, or start it again',
  store: 'look whether the database is up, and its disk has space; the server continues by itself',
  descriptors: 'raise the limit on open files: LimitNOFILE=65536 in systemd',
  memory: 'end other programs, or give the machine more memory',
  disk: 'free space on the disk of the data folder',
  'disk space': 'free space on the disk of the data folder',
  bus: 'look whether NATS is up; sessions get their events late until then',
  log: 'this node is overloaded: add a node, or move sessions to others',
  'functions folder': 'make the functions folder readable for the server, or mount its disk',
  processes: 'raise the limit on processes: TasksMax= in systemd, pids in a container',
}
