import { writeFileSync } from 'node:fs'
import { listedFiles, pathOf, withLists } from './operation-lists.ts'

/* `npm run docs:lists` writes the lists of operations into the documents. */

for (const file of listedFiles) writeFileSync(pathOf(file), withLists(file))
