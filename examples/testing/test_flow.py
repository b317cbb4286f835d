"""Tests of a channel flow with pytest and boto3. Carillon is in node_modules of the project."""
import json, os, subprocess, time
import boto3, pytest

KEY, SECRET = "KEYFORTESTSALONE", "secret-for-tests-alone"

@pytest.fixture(scope="module")
def carillon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("carillon")
    flags = ["--data-dir", folder, "--functions", "functions", "--http-port", "0", "--https-port", "0"]
    keys = {"CARILLON_ACCESS_KEY_ID": KEY, "CARILLON_SECRET_ACCESS_KEY": SECRET}
    command = ["node", "node_modules/carillon/bin/carillon.js", "serve", *flags]
    server = subprocess.Popen(command, env=os.environ | keys, stdout=subprocess.DEVNULL)
    try:
        endpoint_file = folder / "endpoint.json"  # The server writes it when it is ready.
        while not endpoint_file.exists():
            assert server.poll() is None, "carillon did not start; see its log"
            time.sleep(0.05)
        endpoint = json.loads(endpoint_file.read_text())
        options = dict(endpoint_url=endpoint["http"], region_name=endpoint["region"])
        options |= dict(aws_access_key_id=KEY, aws_secret_access_key=SECRET)
        yield boto3.client("chime-sdk-identity", **options), boto3.client("chime-sdk-messaging", **options)
    finally:
        server.terminate()
        server.wait()

def send(carillon, function, content):
    """Sends a message through a flow with this function. Returns its status, and its text if it is SENT."""
    identity, messaging = carillon
    app = identity.create_app_instance(Name="test")["AppInstanceArn"]
    user = identity.create_app_instance_user(AppInstanceArn=app, AppInstanceUserId="ann", Name="Ann")
    user = user["AppInstanceUserArn"]
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    processor = {"Name": "processor", "ExecutionOrder": 1, "FallbackAction": "ABORT"}
    processor["Configuration"] = {"Lambda": {"ResourceArn": arn, "InvocationType": "ASYNC"}}
    # A message whose processor crashes or never answers is FAILED after this time, instead of after 48 hours.
    tags = [{"Key": "carillon:deadline", "Value": "10s"}]
    flow = messaging.create_channel_flow(AppInstanceArn=app, Name="flow", Processors=[processor], Tags=tags)
    channel = messaging.create_channel(AppInstanceArn=app, Name="channel", ChimeBearer=user)["ChannelArn"]
    messaging.associate_channel_flow(ChannelArn=channel, ChannelFlowArn=flow["ChannelFlowArn"], ChimeBearer=user)
    message = messaging.send_channel_message(
        ChannelArn=channel, ChimeBearer=user, Content=content, Type="STANDARD", Persistence="PERSISTENT"
    )["MessageId"]
    which = dict(ChannelArn=channel, ChimeBearer=user, MessageId=message)
    status = "PENDING"
    while status == "PENDING":
        time.sleep(0.05)
        try:
            status = messaging.get_channel_message_status(**which)["Status"]["Value"]
        except messaging.exceptions.ForbiddenException:  # A denied message is not kept.
            return "DENIED"
    if status != "SENT":
        return status
    return status, messaging.get_channel_message(**which)["ChannelMessage"]["Content"]

def test_a_phone_number_is_replaced(carillon):
    assert send(carillon, "redact-personal-data", "Call +1 212 555 0142") == ("SENT", "Call [phone]")

def test_a_bad_word_is_denied(carillon):
    assert send(carillon, "deny-words", "What the heck?") == "DENIED"
