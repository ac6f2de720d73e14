"""Providers and AWS answered inside the process, at a very low cost compared with an order.

AWS is answered below botocore's client: requests are serialised, signed and parsed as usual. Providers are answered at
the socket: all code above it runs as usual, with urllib3 and http.client. Every call is counted.
"""

import collections
import io
import json
import os
import re
import socket
from pathlib import Path
from typing import Any

import botocore.awsrequest
import botocore.httpsession
import urllib3.connection

from tests.support.operations import EXAMPLES
from tests.support.provider_server import Call, answer_of

ROOT = Path(__file__).parents[2]
CREDENTIALS = ROOT / "shared" / "vezne_sandbox" / "credentials.json"
HTTP_LINE = re.compile(rb"(GET|POST) (\S+)")
LOGIN = {"access_token": "sandbox-token", "data": "sandbox-token", "expires_in": 3600}
# The provider's answer to the golden event's operation; None for a function that calls no provider.
EXAMPLE = {example.function: example for example in EXAMPLES}.get(Path(os.environ["BENCH_EVENT"]).name.split(".")[0])
ORDER = re.compile(re.sub(r"{\w+}", "[^/]+", EXAMPLE.address)) if EXAMPLE else None
calls: collections.Counter[str] = collections.Counter()


def read(request: bytes) -> Call:
    """Read a request to a provider."""
    head, _, body = request.partition(b"\r\n\r\n")
    line = HTTP_LINE.match(head)
    assert line is not None
    return Call(line[1].decode(), line[2].decode(), {}, body)


def answer(call: Call) -> bytes:
    """The order's answer, what it asks first, or the answer to a login of any provider, who reads its own member."""
    if EXAMPLE and ORDER and ORDER.fullmatch(call.route):
        return EXAMPLE.success(call).body
    if EXAMPLE and EXAMPLE.asked_first and call.route == EXAMPLE.asked_first[0]:
        return answer_of(EXAMPLE.asked_first[1], call).body
    return json.dumps(LOGIN).encode()


class _Socket:
    """A provider's connected socket. Its answer is ready when the request is complete."""

    def __init__(self) -> None:
        # A real, silent socket below it, for code that asks whether the connection is alive.
        self._real, self._other = socket.socketpair()
        self._request = bytearray()

    def sendall(self, data: bytes) -> None:
        self._request += data

    def makefile(self, *_arguments: Any, **_named: Any) -> io.BytesIO:
        call = read(bytes(self._request))
        calls[call.path] += 1
        body = answer(call)
        self._request.clear()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return io.BytesIO(head.encode() + body)

    def close(self) -> None:
        self._real.close()
        self._other.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def _answer_aws(_session: Any, request: Any) -> botocore.awsrequest.AWSResponse:
    target = request.headers["X-Amz-Target"]
    name = (target.decode() if isinstance(target, bytes) else target).split(".")[-1]
    calls[name] += 1
    content = b"{}"
    if name == "GetSecretValue":
        # Each cold start logs in: nobody has shared a token yet.
        shared = json.loads(request.body)["SecretId"] == os.environ["LOGIN_SECRET_ID"]
        secret = {} if shared else json.loads(CREDENTIALS.read_text())[os.environ["SECRET_ID"]]
        content = json.dumps({"SecretString": json.dumps(secret), "VersionId": "1", "Name": "secret"}).encode()
    headers: Any = {"Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(content))}
    return botocore.awsrequest.AWSResponse(request.url, 200, headers, _Body(content))


def install() -> None:
    """Answer all calls inside this process from now on."""

    def connect(connection: Any) -> None:
        connection.sock = _Socket()

    replaced: Any = botocore.httpsession.URLLib3Session
    replaced.send = _answer_aws
    replaced = urllib3.connection.HTTPConnection
    replaced.connect = connect
