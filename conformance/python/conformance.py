"""The steps of ../steps.tsv with boto3: python3 conformance.py URL REGION ACCESS_KEY SECRET_KEY"""

import json
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

POLLS_MAX = 300

endpoint, region, access_key, secret_key = sys.argv[1:]


def client(service, endpoint_url=endpoint, aws_access_key_id=access_key):
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=aws_access_key_id,
        aws_secret_access_key=secret_key,
    )


identity = client("chime-sdk-identity")
messaging = client("chime-sdk-messaging")


def error_of(call, **arguments):
    """The class of the exception, and the status of the response."""
    try:
        call(**arguments)
    except ClientError as error:
        name = type(error).__name__
        # An error that the service model does not have is a plain ClientError, with its name inside.
        return {
            "error": error.response["Error"]["Code"] if name == "ClientError" else name,
            "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
        }
    return {"error": "none"}


class Steps:
    def identity(self):
        self.app = identity.create_app_instance(Name="conformance")["AppInstanceArn"]
        self.ann = identity.create_app_instance_user(
            AppInstanceArn=self.app, AppInstanceUserId="ann", Name="Ann"
        )["AppInstanceUserArn"]
        user = identity.describe_app_instance_user(AppInstanceUserArn=self.ann)["AppInstanceUser"]
        return {"AppInstanceArn": self.app, "AppInstanceUserArn": self.ann, "Name": user["Name"]}

    def channel(self):
        self.talk = self.create_channel("talk")
        self.callbacks = self.create_channel("callbacks")
        channel = messaging.describe_channel(ChannelArn=self.talk, ChimeBearer=self.ann)["Channel"]
        return {"ChannelArn": self.talk, "Name": channel["Name"]}

    def flow(self):
        account = self.app.split(":")[4]
        function = f"arn:aws:lambda:{region}:{account}:function:conformance"
        processor = {
            "Name": "ask",
            "Configuration": {"Lambda": {"ResourceArn": function, "InvocationType": "ASYNC"}},
            "ExecutionOrder": 1,
            "FallbackAction": "ABORT",
        }
        # boto3 of today makes a ClientRequestToken up; the one of Debian 12 does not.
        flow = messaging.create_channel_flow(
            AppInstanceArn=self.app, Name="ask", Processors=[processor], ClientRequestToken=str(uuid.uuid4())
        )["ChannelFlowArn"]
        messaging.associate_channel_flow(ChannelArn=self.talk, ChannelFlowArn=flow, ChimeBearer=self.ann)
        described = messaging.describe_channel_flow(ChannelFlowArn=flow)["ChannelFlow"]
        return {"ChannelFlowArn": flow, "Name": described["Name"]}

    def send(self):
        sent = self.ask()
        self.message = sent["MessageId"]
        return {"MessageId": self.message, "Status": sent["Status"]["Value"]}

    def poll(self):
        status = messaging.get_channel_message_status(
            ChannelArn=self.talk, MessageId=self.message, ChimeBearer=self.ann
        )["Status"]
        self.callback = self.callback_of(self.message)
        return {"CallbackId": self.callback, "Status": status["Value"]}

    def callback_unchanged(self):
        self.unchanged = {
            "ChannelArn": self.talk,
            "CallbackId": self.callback,
            "ChannelMessage": {"MessageId": self.message},
        }
        return self.allow(self.unchanged)

    def callback_changed(self):
        message = self.ask()["MessageId"]
        return self.allow(
            {
                "ChannelArn": self.talk,
                "CallbackId": self.callback_of(message),
                "ChannelMessage": {"MessageId": message, "Content": "Call [phone]"},
            }
        )

    def callback_denied(self):
        message = self.ask()["MessageId"]
        self.denied = {
            "ChannelArn": self.talk,
            "CallbackId": self.callback_of(message),
            "ChannelMessage": {"MessageId": message},
            "DeleteResource": True,
        }
        verdict = messaging.channel_flow_callback(**self.denied)
        return {"MessageId": message, "CallbackId": verdict["CallbackId"], "Contents": self.contents_of(self.talk)}

    def bad_request(self):
        return error_of(messaging.channel_flow_callback, **self.unchanged)

    def forbidden(self):
        return error_of(messaging.channel_flow_callback, **self.denied)

    def conflict(self):
        again = {"AppInstanceArn": self.app, "AppInstanceUserId": "ann", "Name": "Another Ann"}
        return error_of(identity.create_app_instance_user, **again)

    def not_found(self):
        bob = identity.create_app_instance_user(AppInstanceArn=self.app, AppInstanceUserId="bob", Name="Bob")
        membership = {"ChannelArn": self.talk, "MemberArn": bob["AppInstanceUserArn"], "ChimeBearer": self.ann}
        return error_of(messaging.describe_channel_membership, **membership)

    def unauthorized(self):
        return error_of(messaging.describe_channel, ChannelArn=self.talk, ChimeBearer=f"{self.app}/user/nobody")

    def limit_exceeded(self):
        tags = [{"Key": f"tag {number}", "Value": "x"} for number in range(50)]
        messaging.tag_resource(ResourceARN=self.app, Tags=tags)
        return error_of(messaging.tag_resource, ResourceARN=self.app, Tags=[{"Key": "one more", "Value": "x"}])

    def unknown_key(self):
        unknown = client("chime-sdk-messaging", aws_access_key_id="AKIDUNKNOWN000000000")
        return error_of(unknown.describe_channel, ChannelArn=self.talk, ChimeBearer=self.ann)

    def unknown_operation(self):
        nowhere = client("chime-sdk-messaging", endpoint_url=f"{endpoint}/nowhere")
        return error_of(nowhere.describe_channel, ChannelArn=self.talk, ChimeBearer=self.ann)

    def paging(self):
        self.pages = self.create_channel("pages")
        for content in "12345":
            self.say(self.pages, content)
        return {"ChannelArn": self.pages, "Contents": self.contents_of(self.pages)}

    def text(self):
        message = self.say(self.pages, "🔔 déjà \0 vu")["MessageId"]
        return {"MessageId": message, "Content": self.get(self.pages, message)["Content"]}

    def token(self):
        token = str(uuid.uuid4())
        first, second = [self.say(self.pages, "once", ClientRequestToken=token)["MessageId"] for _ in range(2)]
        return {"MessageId": first, "same": first == second}

    def presigned(self):
        parameters = {"ChannelArn": self.talk, "ChimeBearer": self.ann}
        url = messaging.generate_presigned_url("describe_channel", Params=parameters)
        request = urllib.request.Request(url, headers={"x-amz-chime-bearer": self.ann})
        with urllib.request.urlopen(request) as response:
            return {"status": response.status, "Name": json.load(response)["Channel"]["Name"]}

    def create_channel(self, name):
        return messaging.create_channel(AppInstanceArn=self.app, Name=name, ChimeBearer=self.ann)["ChannelArn"]

    def say(self, channel, content, **options):
        return messaging.send_channel_message(
            ChannelArn=channel,
            ChimeBearer=self.ann,
            Content=content,
            Type="STANDARD",
            Persistence="PERSISTENT",
            **options,
        )

    def ask(self):
        """Sends a message into the flow. The processor puts the CallbackId where its Metadata says."""
        return self.say(self.talk, "Call +1 212 555 0142", Metadata=self.callbacks)

    def get(self, channel, message):
        return messaging.get_channel_message(ChannelArn=channel, MessageId=message, ChimeBearer=self.ann)["ChannelMessage"]

    def callback_of(self, message):
        def look():
            listed = messaging.list_channel_messages(ChannelArn=self.callbacks, ChimeBearer=self.ann)
            found = (each["Content"] for each in listed["ChannelMessages"] if each.get("Metadata") == message)
            return next(found, None)

        return poll(look)

    def allow(self, verdict):
        """Lets the message pass, and reads what became of it."""
        callback = messaging.channel_flow_callback(**verdict)["CallbackId"]
        message = verdict["ChannelMessage"]["MessageId"]

        def look():
            found = self.get(self.talk, message)
            return None if found["Status"]["Value"] == "PENDING" else found

        seen = poll(look)
        return {
            "MessageId": message,
            "CallbackId": callback,
            "Status": seen["Status"]["Value"],
            "Content": seen["Content"],
        }

    def contents_of(self, channel):
        page, contents = {"MaxResults": 2, "SortOrder": "ASCENDING"}, []
        while True:
            listed = messaging.list_channel_messages(ChannelArn=channel, ChimeBearer=self.ann, **page)
            contents += [message["Content"] for message in listed["ChannelMessages"]]
            if "NextToken" not in listed:
                return contents
            page["NextToken"] = listed["NextToken"]


def poll(look):
    for _ in range(POLLS_MAX):
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"nothing came in {POLLS_MAX} polls")


print(json.dumps({"version": f"boto3 {boto3.__version__}, Python {sys.version.split()[0]}"}), flush=True)
steps = Steps()
for line in (Path(__file__).parent.parent / "steps.tsv").read_text().splitlines()[1:]:
    number, name, *_ = line.split("\t")
    step = getattr(steps, name.replace(" ", "_"), None)
    result = step() if step else {"lacks": "not in this program"}
    print(json.dumps({"step": int(number), **result}), flush=True)
