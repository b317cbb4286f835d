"""A channel flow processor in Python, behind Lambda's Invoke API: python3 processor.py 9000"""
import json, re, sys, traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import boto3

chime = boto3.client("chime-sdk-messaging")

def redact(event):
    """The verdict is the callback. Here it replaces phone numbers."""
    message = event["ChannelMessage"]
    allowed = {key: message[key] for key in ("MessageId", "Content", "Metadata") if key in message}
    allowed["Content"] = re.sub(r"\+\d[\d ]{6,14}\d", "[phone]", message["Content"])
    chime.channel_flow_callback(ChannelArn=message["ChannelArn"], CallbackId=event["CallbackId"], ChannelMessage=allowed)

class Invoke(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        function = {"redact-python": redact}.get(self.path.split("/")[3])
        self.send_response(200 if function else 404)
        try:
            if function: function(event)
        except Exception:  # Carillon sends the event again after one minute, and after two more.
            traceback.print_exc()
            self.send_header("X-Amz-Function-Error", "Unhandled")
        self.send_header("Content-Length", "0")
        self.end_headers()

server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Invoke)
print(f"listening on port {server.server_port}", flush=True)
server.serve_forever()
