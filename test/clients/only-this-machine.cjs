/*
 * `node --require` this before a client: it ends the process where the client looks up a name that is not of this
 * machine, and says which. So no test calls AWS.
 */
const dns = require('node:dns')

const lookUp = dns.lookup

dns.lookup = (name, ...rest) => {
  if (name === 'localhost' || name === '127.0.0.1') return lookUp(name, ...rest)
  process.stderr.write(`would call ${name}\n`)
  process.exit(7)
}
