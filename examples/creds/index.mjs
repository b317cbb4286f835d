// Who a caller of POST /creds is: docs/creds.md. For people who have signed in to your own web application, which knows
// whose session a token is. ACCOUNT_URL is a page of it that needs the token, and answers in JSON.

/** Returns the person whose token it is, or null. */
export async function handler({ headers: { Authorization } }) {
  const accountUrl = process.env.ACCOUNT_URL
  if (!accountUrl) throw new Error('set ACCOUNT_URL in function.json')
  const response = await fetch(accountUrl, { headers: { Authorization: `Bearer ${tokenOf(Authorization)}` } })
  if (!response.ok) return null
  const { id, name } = await response.json()
  return { uuid: id, displayName: name, metadata: null }
}

/** The page sends the token in Base64, as the client of AWS's chat sample does. */
const tokenOf = (authorization) => Buffer.from(authorization.replace(/^Bearer /, ''), 'base64').toString()
