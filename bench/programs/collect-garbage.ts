/*
 * Loaded into a server before its own program, with --expose-gc: collects garbage at SIGUSR2 and says so.
 */
process.on('SIGUSR2', () => {
  // Twice: the second collects objects that finalizers have released in the first.
  for (const _ of [1, 2]) globalThis.gc?.()
  process.stdout.write('garbage collected\n')
})
