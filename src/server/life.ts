import type { Phase } from '../api/gate.ts'

/** Whether a server starts, runs or stops. A server that cannot continue is stopping. */
export class Life {
  readonly #failure = Promise.withResolvers<Error>()
  #phase: Phase = 'starting'

  get phase(): Phase {
    return this.#phase
  }

  /** Resolves when the server cannot continue. */
  get failed(): Promise<Error> {
    return this.#failure.promise
  }

  /** Has no effect if the server has failed meanwhile. */
  begin(): void {
    if (this.#phase === 'starting') this.#phase = 'ready'
  }

  end(): void {
    this.#phase = 'stopping'
  }

  fail(error: Error): void {
    this.end()
    this.#failure.resolve(error)
  }
}
