import { writeFileSync } from 'node:fs'
import { listedFiles, pathOf, withLists } from './operation-lists.ts'

/* `npm run docs:lists` writes into the documents which operations there are. */

for (const file of listedFiles) writeFileSync(pathOf(file), withLists(file))
