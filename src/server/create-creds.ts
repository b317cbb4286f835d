import type { Config } from '../config.ts'
import { askFunction, credsFunction, credsFunctionLimits } from '../creds/ask-function.ts'
import { askIssuer } from '../creds/ask-issuer.ts'
import { CredsListener } from '../creds/creds-listener.ts'
import type { WhoIs } from '../creds/person.ts'
import { signIn } from '../creds/sign-in.ts'
import type { WebIdentity } from '../keys/web-identity.ts'
import type { FunctionTarget } from '../processor/function-target.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Life } from './life.ts'
import type { ServerRecord } from './open-record.ts'
import type { World } from './world.ts'

interface Surroundings {
  life: Life
  metrics: Metrics
  functions: FunctionTarget
  webIdentity: WebIdentity | undefined
}

/** Undefined unless `/creds` is set. */
export function createCreds(
  config: Config,
  world: World,
  { store, keys: { secrets } }: ServerRecord,
  around: Surroundings,
): CredsListener | undefined {
  const { creds } = config
  if (!creds) return undefined
  const { appInstanceArn } = creds
  const parts = { store, secrets, appInstanceArn, now: () => world.clock.now() }
  return new CredsListener({
    ...world,
    ...creds,
    whoIs: createWhoIs(config, around),
    signIn: (person) => signIn(parts, person),
    phase: () => around.life.phase,
    metrics: around.metrics,
  })
}

function createWhoIs({ creds, region, account }: Config, { functions, webIdentity }: Surroundings): WhoIs {
  if (creds?.by === 'oidc' && webIdentity) return askIssuer(webIdentity)
  const functionArn = `arn:aws:lambda:${region}:${account}:function:${credsFunction}`
  return askFunction(functions.answeringFunction({ functionName: credsFunction, functionArn, ...credsFunctionLimits }))
}
