import type { Config } from '../config.ts'
import { askFunction, credsFunction, credsFunctionLimits } from '../creds/ask-function.ts'
import { CredsListener } from '../creds/creds-listener.ts'
import { signIn } from '../creds/sign-in.ts'
import type { FunctionTarget } from '../processor/function-target.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Life } from './life.ts'
import type { ServerRecord } from './open-record.ts'
import type { World } from './world.ts'

/** Undefined unless `/creds` is set. */
export function createCreds(
  { creds, region, account }: Config,
  world: World,
  { store, keys: { secrets } }: ServerRecord,
  { life, metrics, functions }: { life: Life; metrics: Metrics; functions: FunctionTarget },
): CredsListener | undefined {
  if (!creds) return undefined
  const { appInstanceArn } = creds
  const functionArn = `arn:aws:lambda:${region}:${account}:function:${credsFunction}`
  const parts = { store, secrets, appInstanceArn, now: () => world.clock.now() }
  return new CredsListener({
    ...world,
    ...creds,
    whoIs: askFunction(
      functions.answeringFunction({ functionName: credsFunction, functionArn, ...credsFunctionLimits }),
    ),
    signIn: (person) => signIn(parts, person),
    phase: () => life.phase,
    metrics,
  })
}
