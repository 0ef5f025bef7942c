"""A mail server that keeps what it gets. First line on stdout: its port. Each mail is one more line of JSON, printed before it is
confirmed. Options as JSON in the first argument: port, refuse ({recipient: reply}), busy (how many mails are put off first),
certificate and key (STARTTLS is then required), user and password. Ends with its stdin."""

import asyncio
import json
import ssl
import sys
from email import message_from_bytes
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

options = json.loads(sys.argv[1])


class Sink:
    def __init__(self):
        self.busy = options.get("busy", 0)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        reply = options.get("refuse", {}).get(address)
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.busy > 0:
            self.busy -= 1
            return "451 try again later"
        message = message_from_bytes(envelope.content, policy=default)
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "id": message["message-id"],
            "references": message["references"],
            "subject": message["subject"],
            "sender": message["from"],
            "text": message.get_content(),
            "tls": session.ssl is not None,
            "user": session.auth_data.decode() if session.authenticated else None,
        }
        print(json.dumps(mail), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (options["user"].encode(), options["password"].encode())
    # Otherwise the answer would be ours to give.
    return AuthResult(success=is_right, handled=False, auth_data=data.login)


settings = {}
if "certificate" in options:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["certificate"], options["key"])
    settings |= {"tls_context": context, "require_starttls": True}
if "user" in options:
    settings |= {"authenticator": authenticate, "auth_required": True}

controller = Controller(Sink(), hostname="127.0.0.1", port=options.get("port", 0), **settings)
if options.get("port", 0) == 0:
    # The controller tries to connect to the port that it was given, so it has to be a real one.
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
controller.start()
print(controller.port, flush=True)
sys.stdin.read()
controller.stop()
