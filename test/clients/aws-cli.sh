#!/bin/sh
# aws-cli.sh PROGRAM CHANNEL USER [ENDPOINT]
set -eu
aws=$1 channel=$2 user=$3 endpoint=${4:-}

run() { "$aws" ${endpoint:+--endpoint-url "$endpoint"} --output text "$@"; }

run chime-sdk-identity describe-app-instance-user --app-instance-user-arn "$user" --query AppInstanceUser.Name
run chime-sdk-messaging send-channel-message --channel-arn "$channel" --chime-bearer "$user" --content hello \
  --type STANDARD --persistence PERSISTENT --client-request-token message > /dev/null
