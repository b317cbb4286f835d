// Loaded before serverless-offline, which takes a free port if it is told 0 and then says that it listens on 0.
import { subscribe } from 'node:diagnostics_channel'

subscribe('tracing:net.server.listen:asyncEnd', ({ server }) => process.send?.(server.address().port))
