import { heapWithoutGarbage } from './heap.ts'

/*
 * Loaded into a server before its own program, with --expose-gc: collects garbage at SIGUSR2 and says what is left.
 */
process.on('SIGUSR2', () => process.stdout.write(`garbage collected ${JSON.stringify(heapWithoutGarbage())}\n`))
