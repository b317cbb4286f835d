import type { Config } from '../config.ts'
import { askFunction, credsFunction, credsFunctionLimits } from '../creds/ask-function.ts'
import { askIssuer } from '../creds/ask-issuer.ts'
import { CredsListener } from '../creds/creds-listener.ts'
import { signIn } from '../creds/sign-in.ts'
import type { IdentityVerifier } from '../keys/identity.ts'
import type { FunctionTarget } from '../processor/function-target.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Life } from './life.ts'
import type { ServerRecord } from './open-record.ts'
import type { World } from './world.ts'

interface Surroundings {
  life: Life
  metrics: Metrics
  functions: FunctionTarget
  webIdentity: IdentityVerifier | undefined
}

interface Creds {
  listener: CredsListener
  /** Calls that wait get a response now; those at the function end within its time. */
  close(): void
}

/** Undefined unless `/creds` is set. */
export function createCreds(
  config: Config,
  world: World,
  { store, keys: { secrets } }: ServerRecord,
  around: Surroundings,
): Creds | undefined {
  const { creds } = config
  if (!creds) return undefined
  const { appInstanceArn } = creds
  const parts = { store, secrets, appInstanceArn, now: () => world.clock.now() }
  const asked = creds.by === 'oidc' ? undefined : createFunction(config, around.functions)
  const listener = new CredsListener({
    ...world,
    ...creds,
    whoIs: asked ? askFunction(asked) : askIssuer(around.webIdentity!),
    signIn: (person) => signIn(parts, person),
    phase: () => around.life.phase,
    metrics: around.metrics,
  })
  const close = () => {
    listener.close()
    void asked?.close()
  }
  return { listener, close }
}

const createFunction = ({ region, account }: Config, functions: FunctionTarget) =>
  functions.answeringFunction({
    functionName: credsFunction,
    functionArn: `arn:aws:lambda:${region}:${account}:function:${credsFunction}`,
    ...credsFunctionLimits,
  })
