/*
 * Loaded into a server before its own program, with --expose-gc: collects garbage at SIGUSR2 and says so.
 */
process.on('SIGUSR2', () => {
  // Twice: what finalizers let go at the first is collected at the second.
  for (const _ of [1, 2]) globalThis.gc?.()
  process.stdout.write('garbage collected\n')
})
