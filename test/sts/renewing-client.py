"""Calls the server with boto3's default credentials, from many places at once, until they have been renewed twice. It
prints the number of keys that signed a call."""

import re
import sys
import threading

import boto3
from botocore.config import Config

app_instance, bearer = sys.argv[1:]
at_once = 8
keys_wanted = 3

client = boto3.client("chime-sdk-messaging", config=Config(retries={"total_max_attempts": 1}))
keys = set()
failures = []


def note(request, **_):
    authorization = request.headers["Authorization"]
    text = authorization.decode() if isinstance(authorization, bytes) else authorization
    keys.add(re.search(r"Credential=(\w+)", text).group(1))


client.meta.events.register("before-send", note)


def call():
    try:
        while len(keys) < keys_wanted and not failures:
            client.list_channels(AppInstanceArn=app_instance, ChimeBearer=bearer)
    except Exception as error:
        failures.append(repr(error))


threads = [threading.Thread(target=call) for _ in range(at_once)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if failures:
    sys.exit("\n".join(failures))
print(len(keys))
