"""A loopback HTTP server instead of a provider. It records requests and sends the scripted answers."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import simplejson


@dataclass(frozen=True)
class Call:
    """One request, as it was received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


# The connection is closed after the request was read, without an answer.
HANG_UP = Reply(0)

Answering = Reply | Callable[[Call], Reply]


def answer_of(answering: Answering, call: Call) -> Reply:
    """The answer to a call: always the same one, or one that depends on the call."""
    return answering(call) if callable(answering) else answering


def json_reply(value: object, status: int = 200) -> Reply:
    """A JSON answer. Decimals keep their digits."""
    body = simplejson.dumps(value, use_decimal=True, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/json; charset=utf-8"})


class ProviderServer:
    """Answers each route with its scripted replies in turn. The last one is repeated."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._script: dict[str, list[Answering]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        self.calls.clear()
        self._script.clear()

    def on(self, route: str, *replies: Answering) -> None:
        """Script the replies of a route such as `POST /tos/payment`."""
        self._script[route] = list(replies)

    def to(self, route: str) -> list[Call]:
        """The calls that came to a route."""
        return [call for call in self.calls if call.route == route]

    def _answer(self, call: Call) -> Reply:
        self.calls.append(call)
        replies = self._script.get(call.route)
        if not replies:
            return json_reply({"test": "no such route"}, 599)
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return answer_of(reply, call)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body in one packet.
            wbufsize = -1

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                reply = server._answer(Call(self.command, self.path, dict(self.headers.items()), body))
                if reply is HANG_UP:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = _serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        return Handler
