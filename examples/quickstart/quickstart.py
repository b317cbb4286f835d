"""A moderated channel in Python: python3 quickstart.py"""

import time

import boto3

# Endpoint, region and key come from the environment: docs/clients.md.
identity = boto3.client("chime-sdk-identity")
messaging = boto3.client("chime-sdk-messaging")

# An AppInstance is one application with its users and channels.
app = identity.create_app_instance(Name="quickstart")["AppInstanceArn"]
user = identity.create_app_instance_user(AppInstanceArn=app, AppInstanceUserId="ann", Name="Ann")
ann = user["AppInstanceUserArn"]
talk = messaging.create_channel(AppInstanceArn=app, Name="talk", ChimeBearer=ann)["ChannelArn"]

# The flow holds each message until its processor, a Lambda function, has decided.
function = "arn:aws:lambda:us-east-1:000000000000:function:redact-personal-data"
processor = {
    "Name": "redact",
    "Configuration": {"Lambda": {"ResourceArn": function, "InvocationType": "ASYNC"}},
    "ExecutionOrder": 1,
    "FallbackAction": "ABORT",
}
flow = messaging.create_channel_flow(AppInstanceArn=app, Name="redact", Processors=[processor])
messaging.associate_channel_flow(ChannelArn=talk, ChannelFlowArn=flow["ChannelFlowArn"], ChimeBearer=ann)

# The sender's response comes at once: the message is PENDING.
sent = messaging.send_channel_message(
    ChannelArn=talk, ChimeBearer=ann, Content="Call +1 212 555 0142", Type="STANDARD", Persistence="PERSISTENT"
)
look = {"ChannelArn": talk, "ChimeBearer": ann, "MessageId": sent["MessageId"]}
while messaging.get_channel_message_status(**look)["Status"]["Value"] == "PENDING":
    time.sleep(0.1)

for message in messaging.list_channel_messages(ChannelArn=talk, ChimeBearer=ann)["ChannelMessages"]:
    print(message["Status"]["Value"], message["Content"])
