/** The page at the TLS port for browsers: users open it most likely to accept the certificate. */
export const welcomePage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Carillon</title>
<style>
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 38em; margin: 12vh auto; padding: 0 1em; color: #222 }
  @media (prefers-color-scheme: dark) { body { background: #16181d; color: #ddd } }
  code { font-size: 0.95em }
</style>
<h1>Carillon</h1>
<p>A server for Amazon Chime SDK messaging runs here. If you see this page, your browser accepts its certificate,
and messaging sessions from this browser can connect to this address.</p>
<p>Programs call it with an AWS SDK or the AWS CLI. Its data folder has a profile for them in
<code>aws/config</code> and <code>aws/credentials</code>, and the certificate of its authority in <code>ca.pem</code>.</p>
</html>
`
