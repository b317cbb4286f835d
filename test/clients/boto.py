import sys

import boto3

channel, user, *rest = sys.argv[1:]
if rest:
    [endpoint] = rest
    identity = boto3.client('chime-sdk-identity', endpoint_url=endpoint)
    messaging = boto3.client('chime-sdk-messaging', endpoint_url=endpoint)
else:
    identity = boto3.client('chime-sdk-identity')
    messaging = boto3.client('chime-sdk-messaging')

print(identity.describe_app_instance_user(AppInstanceUserArn=user)['AppInstanceUser']['Name'])
messaging.send_channel_message(
    ChannelArn=channel,
    Content='hello',
    Type='STANDARD',
    Persistence='PERSISTENT',
    ClientRequestToken='message',
    ChimeBearer=user,
)
