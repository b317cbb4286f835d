#!/bin/sh
# npm run test:setup: what `npm run test:all` needs besides `npm ci`, on Debian and its kin.
# Without it `npm test` still passes: a test whose tool is missing says so and is skipped.
set -eu
cd "$(dirname "$0")/.."

# nats-server and haproxy: clusters. nginx, haproxy and caddy: the configurations of docs/proxy. strace: whether commits
# are synced before they are answered. awscli and python3-boto3: the old clients of Debian; python3-venv: the new ones.
# systemd and prometheus: systemd-analyze and promtool check the files in docs. jq: the conformance program of the AWS CLI.
# chromium: a page that signs in and chats.
packages='nats-server haproxy nginx caddy strace awscli python3-boto3 python3-venv systemd prometheus jq chromium'
# Java for the conformance run. Debian's Go and Rust are too old for AWS's SDKs: they come from elsewhere.
if ! command -v mvn > /dev/null; then packages="$packages maven openjdk-17-jdk-headless"; fi
if ! command -v apt-get > /dev/null; then
  echo "there is no apt-get here: install $packages in your system's way" >&2
  exit 1
fi
as_root=''
if [ "$(id -u)" != 0 ]; then as_root='sudo'; fi
echo "installing $packages with apt-get; none of them is started as a service"
# A policy that forbids starting, for as long as this takes: they would take ports 80 and 4222.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" > /dev/null
  $as_root chmod +x "$policy"
  trap '$as_root rm -f "$policy"' EXIT
fi
$as_root apt-get update -q
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages

echo 'installing the Lambda emulator of test/lambda with npm, 280 MB'
npm ci --prefix test/lambda --ignore-scripts --no-audit --no-fund

echo 'installing Vitest for an example of docs, with npm, 41 MB'
npm ci --prefix test/vitest --ignore-scripts --no-audit --no-fund

echo 'installing the AWS clients of test/clients with npm and pip, 300 MB'
npm ci --prefix test/clients --ignore-scripts --no-audit --no-fund
# Debian's own Python: another one in the PATH may lack venv.
/usr/bin/python3 -m venv test/clients/python
test/clients/python/bin/pip install --quiet --disable-pip-version-check --requirement test/clients/requirements.txt
