#!/bin/sh
# A moderated channel with the AWS CLI: sh quickstart.sh
set -eu

# Endpoint, region and key come from the environment: docs/clients.md.
identity() { aws chime-sdk-identity --output text "$@"; }
messaging() { aws chime-sdk-messaging --output text "$@"; }

# An AppInstance is one application with its users and channels.
app=$(identity create-app-instance --name quickstart --query AppInstanceArn)
ann=$(identity create-app-instance-user --app-instance-arn "$app" --app-instance-user-id ann --name Ann \
  --query AppInstanceUserArn)
talk=$(messaging create-channel --app-instance-arn "$app" --name talk --chime-bearer "$ann" --query ChannelArn)

# The flow holds each message until its processor, a Lambda function, has decided.
flow=$(messaging create-channel-flow --app-instance-arn "$app" --name redact --query ChannelFlowArn --processors '[{
  "Name": "redact",
  "Configuration": {
    "Lambda": {
      "ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:redact-personal-data",
      "InvocationType": "ASYNC"
    }
  },
  "ExecutionOrder": 1,
  "FallbackAction": "ABORT"
}]')
messaging associate-channel-flow --channel-arn "$talk" --channel-flow-arn "$flow" --chime-bearer "$ann"

# The sender's response comes at once: the message is PENDING.
message=$(messaging send-channel-message --channel-arn "$talk" --chime-bearer "$ann" \
  --content 'Call +1 212 555 0142' --type STANDARD --persistence PERSISTENT --query MessageId)
status() {
  messaging get-channel-message-status --channel-arn "$talk" --chime-bearer "$ann" --message-id "$message" \
    --query Status.Value
}
while [ "$(status)" = PENDING ]; do sleep 0.1; done

messaging list-channel-messages --channel-arn "$talk" --chime-bearer "$ann" \
  --query 'ChannelMessages[].join(`" "`, [Status.Value, Content])' | tr '\t' '\n'
