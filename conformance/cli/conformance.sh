#!/bin/sh
# The steps of ../steps.tsv with the AWS CLI and jq: conformance.sh URL REGION ACCESS_KEY SECRET_KEY
set -eu
endpoint=$1
export AWS_DEFAULT_REGION="$2" AWS_ACCESS_KEY_ID="$3" AWS_SECRET_ACCESS_KEY="$4" AWS_PAGER=
polls_max=100
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

identity() { aws --endpoint-url "$endpoint" --output json chime-sdk-identity "$@"; }
messaging() { aws --endpoint-url "$endpoint" --output json chime-sdk-messaging "$@"; }
uuid() { cat /proc/sys/kernel/random/uuid; }

# The class that the CLI prints; it does not print the status of the response.
error_of() {
  if "$@" > /dev/null 2> "$folder/error"; then echo none; return; fi
  sed -n 's/.*An error occurred (\([A-Za-z]*\)).*/\1/p' "$folder/error" | jq -Rc '{ error: . }'
}

create_user() {
  identity create-app-instance-user --app-instance-arn "$app" --app-instance-user-id "$1" --name "$2" \
    --client-request-token "$(uuid)"
}

create_channel() {
  messaging create-channel --app-instance-arn "$app" --name "$1" --chime-bearer "$ann" \
    --client-request-token "$(uuid)" | jq -r .ChannelArn
}

describe() { messaging describe-channel --channel-arn "$talk" --chime-bearer "$ann"; }

# send CHANNEL CONTENT [OPTION…]
send() {
  channel=$1 content=$2
  shift 2
  messaging send-channel-message --channel-arn "$channel" --chime-bearer "$ann" --content "$content" \
    --type STANDARD --persistence PERSISTENT "$@"
}

# Sends a message into the flow. The processor puts the CallbackId where its Metadata says.
ask() { send "$talk" 'Call +1 212 555 0142' --metadata "$callbacks" --client-request-token "$(uuid)"; }

# poll COMMAND…: repeats the command until it prints something.
poll() {
  polls=0
  while [ "$polls" -lt "$polls_max" ]; do
    found=$("$@")
    if [ -n "$found" ]; then echo "$found"; return; fi
    polls=$((polls + 1))
    sleep 0.1
  done
  echo "nothing came in $polls_max polls: $*" >&2
  return 1
}

look_for_callback() {
  messaging list-channel-messages --channel-arn "$callbacks" --chime-bearer "$ann" |
    jq -r --arg message "$1" '.ChannelMessages[] | select(.Metadata == $message) | .Content'
}

get() { messaging get-channel-message --channel-arn "$1" --message-id "$2" --chime-bearer "$ann"; }
look_for_verdict() { get "$talk" "$1" | jq -c '.ChannelMessage | select(.Status.Value != "PENDING")'; }

# decide CALLBACK MESSAGE-AS-JSON [OPTION…]
decide() {
  callback_id=$1 message_json=$2
  shift 2
  messaging channel-flow-callback --channel-arn "$talk" --callback-id "$callback_id" \
    --channel-message "$message_json" "$@"
}

# allow CALLBACK MESSAGE-AS-JSON: lets the message pass, and reads what became of it.
allow() {
  verdict=$(decide "$1" "$2")
  poll look_for_verdict "$(echo "$2" | jq -r .MessageId)" | jq -c --argjson verdict "$verdict" \
    '{ MessageId, CallbackId: $verdict.CallbackId, Status: .Status.Value, Content }'
}

# The Contents of a channel as a JSON list, read by twos.
contents_of() {
  token=''
  while :; do
    page=$(messaging list-channel-messages --channel-arn "$1" --chime-bearer "$ann" --sort-order ASCENDING \
      --max-results 2 ${token:+--next-token "$token"})
    echo "$page" | jq '.ChannelMessages[].Content'
    token=$(echo "$page" | jq -r '.NextToken // empty')
    if [ -z "$token" ]; then break; fi
  done | jq -cs .
}

step_identity() {
  app=$(identity create-app-instance --name conformance --client-request-token "$(uuid)" | jq -r .AppInstanceArn)
  ann=$(create_user ann Ann | jq -r .AppInstanceUserArn)
  identity describe-app-instance-user --app-instance-user-arn "$ann" | jq -c --arg app "$app" \
    '.AppInstanceUser | { AppInstanceArn: $app, AppInstanceUserArn, Name }'
}

step_channel() {
  talk=$(create_channel talk)
  callbacks=$(create_channel callbacks)
  describe | jq -c '.Channel | { ChannelArn, Name }'
}

step_flow() {
  account=$(echo "$app" | cut -d : -f 5)
  processors=$(jq -nc --arg arn "arn:aws:lambda:$AWS_DEFAULT_REGION:$account:function:conformance" '[{
    Name: "ask",
    Configuration: { Lambda: { ResourceArn: $arn, InvocationType: "ASYNC" } },
    ExecutionOrder: 1,
    FallbackAction: "ABORT"
  }]')
  # CLI 2.9 does not make a token up for this one.
  flow=$(messaging create-channel-flow --app-instance-arn "$app" --name ask --processors "$processors" \
    --client-request-token "$(uuid)" | jq -r .ChannelFlowArn)
  messaging associate-channel-flow --channel-arn "$talk" --channel-flow-arn "$flow" --chime-bearer "$ann"
  messaging describe-channel-flow --channel-flow-arn "$flow" | jq -c '.ChannelFlow | { ChannelFlowArn, Name }'
}

step_send() {
  sent=$(ask)
  message=$(echo "$sent" | jq -r .MessageId)
  echo "$sent" | jq -c '{ MessageId, Status: .Status.Value }'
}

step_poll() {
  status=$(messaging get-channel-message-status --channel-arn "$talk" --message-id "$message" --chime-bearer "$ann")
  callback=$(poll look_for_callback "$message")
  echo "$status" | jq -c --arg callback "$callback" '{ CallbackId: $callback, Status: .Status.Value }'
}

step_callback_unchanged() { allow "$callback" "$(jq -nc --arg id "$message" '{ MessageId: $id }')"; }

step_callback_changed() {
  id=$(ask | jq -r .MessageId)
  allow "$(poll look_for_callback "$id")" "$(jq -nc --arg id "$id" '{ MessageId: $id, Content: "Call [phone]" }')"
}

step_callback_denied() {
  denied=$(ask | jq -c '{ MessageId }')
  denied_callback=$(poll look_for_callback "$(echo "$denied" | jq -r .MessageId)")
  decide "$denied_callback" "$denied" --delete-resource |
    jq -c --argjson message "$denied" --argjson contents "$(contents_of "$talk")" \
      '{ MessageId: $message.MessageId, CallbackId, Contents: $contents }'
}

step_bad_request() { error_of decide "$callback" "$(jq -nc --arg id "$message" '{ MessageId: $id }')"; }
step_forbidden() { error_of decide "$denied_callback" "$denied" --delete-resource; }
step_conflict() { error_of create_user ann 'Another Ann'; }

step_not_found() {
  bob=$(create_user bob Bob | jq -r .AppInstanceUserArn)
  error_of messaging describe-channel-membership --channel-arn "$talk" --member-arn "$bob" --chime-bearer "$ann"
}

step_unauthorized() (ann=$app/user/nobody && error_of describe)

step_limit_exceeded() {
  messaging tag-resource --resource-arn "$app" --tags "$(jq -nc '[range(50) | { Key: "tag \(.)", Value: "x" }]')"
  error_of messaging tag-resource --resource-arn "$app" --tags '[{ "Key": "one more", "Value": "x" }]'
}

step_unknown_key() (AWS_ACCESS_KEY_ID=AKIDUNKNOWN000000000 && error_of describe)
step_unknown_operation() (endpoint=$endpoint/nowhere && error_of describe)

step_paging() {
  pages=$(create_channel pages)
  for content in 1 2 3 4 5; do
    send "$pages" "$content" --client-request-token "$(uuid)" > /dev/null
  done
  contents_of "$pages" | jq -c --arg channel "$pages" '{ ChannelArn: $channel, Contents: . }'
}

# No argument of a program can hold a NUL, but JSON can.
step_text() {
  id=$(messaging send-channel-message --cli-input-json "$(jq -nc --arg channel "$pages" --arg bearer "$ann" \
    --arg token "$(uuid)" '{
      ChannelArn: $channel,
      ChimeBearer: $bearer,
      Content: "🔔 déjà \u0000 vu",
      Type: "STANDARD",
      Persistence: "PERSISTENT",
      ClientRequestToken: $token
    }')" | jq -r .MessageId)
  get "$pages" "$id" | jq -c '.ChannelMessage | { MessageId, Content }'
}

step_token() {
  token=$(uuid)
  first=$(send "$pages" once --client-request-token "$token" | jq -r .MessageId)
  second=$(send "$pages" once --client-request-token "$token" | jq -r .MessageId)
  jq -nc --arg first "$first" --arg second "$second" '{ MessageId: $first, same: ($first == $second) }'
}

step_presigned() { echo '{ "lacks": "the AWS CLI presigns calls of S3 only" }'; }

aws --version 2>&1 | jq -Rc '{ version: split(" ")[0:2] | join(", ") | gsub("/"; " ") }'
tail -n +2 "$(dirname "$0")/../steps.tsv" > "$folder/steps"
while IFS="$(printf '\t')" read -r number name _; do
  # The step runs in this shell, not in one for a pipe, and so leaves its variables to the next one.
  "step_$(echo "$name" | tr ' ' _)" > "$folder/result"
  jq -c --argjson step "$number" '{ step: $step } + .' "$folder/result"
done < "$folder/steps"
