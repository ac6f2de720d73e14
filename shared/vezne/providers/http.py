"""The HTTP call to a provider: one deadline for the whole call, and the knowledge whether a request left.

A failure before the first byte of the request left is `NotSentError`: the order may be sent again. A later failure is
`AnswerLostError`: the provider may have the order. The first byte is observed on the socket. It is not concluded from
the type of an exception.
"""

import contextlib
import functools
import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import requests
import simplejson
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from vezne.platform import tls
from vezne.platform.timers import Timer, TimerThread

CONNECT_SECONDS = 3.0
READ_SECONDS = 20.0
# Every call ends so long before the function is stopped, so that the outcome can still be written.
FINALISE_SECONDS = 3.0
# A call is not begun if it cannot wait at least so long for the answer.
SHORTEST_READ_SECONDS = 2.0
# A pooled connection that was idle for longer may be dead, and we do not know. An order on it could become unknown.
LONGEST_IDLE_SECONDS = 3.0
LONGEST_ANSWER = 1024 * 1024


class NotSentError(Exception):
    """Certainly no byte of the request left this function.

    `retry_after`: seconds after which it may be tried again. `provider_failed`: the reason is the provider, not we.
    """

    def __init__(self, reason: str, retry_after: int = 5, *, provider_failed: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.provider_failed = provider_failed


class AnswerLostError(Exception):
    """The request may have reached the provider, and no whole answer came back."""


class InformationalAnswerError(Exception):
    """A status below 200 came. The final answer is still to come, perhaps when nobody waits for it."""


class UnreadableError(Exception):
    """The answer is not in the form that its content type or the page says."""


class Deadline:
    """How much time this invocation has left, in seconds.

    `inquiry_seconds`: how long a read-only call or a login waits for its answer; None: as long as they do usually.
    """

    def __init__(self, remaining_milliseconds: Callable[[], float], inquiry_seconds: float | None = None) -> None:
        self._remaining_milliseconds = remaining_milliseconds
        self.inquiry_seconds = inquiry_seconds

    def left(self) -> float:
        """Seconds until the function is stopped."""
        return self._remaining_milliseconds() / 1000

    def within(self, seconds: float) -> "Deadline":
        """The same deadline, but over in so many seconds at the latest."""
        spare = max(0.0, self.left() - seconds)
        return Deadline(lambda: (self.left() - spare) * 1000, self.inquiry_seconds)

    def with_patience(self, seconds: float) -> "Deadline":
        """The same deadline, for read-only calls that wait so long for their answer."""
        return Deadline(self._remaining_milliseconds, seconds)

    def allows_a_call(self, after: float = 0.0) -> bool:
        """Whether enough time is left, after so many seconds, to connect, wait for an answer and finalise."""
        return self.left() - after >= CONNECT_SECONDS + SHORTEST_READ_SECONDS + FINALISE_SECONDS


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to send. `path` begins with a slash and is appended to the provider's URL."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


def json_request(path: str, fields: Mapping[str, Any], headers: Mapping[str, str]) -> Request:
    """A JSON POST. `Decimal` values become JSON numbers digit by digit; no float is made."""
    body = simplejson.dumps(fields, use_decimal=True, ensure_ascii=False).encode()
    return Request("POST", path, {"Content-Type": "application/json", "Accept": "application/json", **headers}, body)


def form_request(path: str, fields: list[tuple[str, str]], headers: Mapping[str, str]) -> Request:
    """A form POST, in the order of the fields, UTF-8."""
    content_type = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return Request("POST", path, {**content_type, **headers}, urlencode(fields).encode("ascii"))


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """A whole answer: HTTP status and body."""

    status: int
    body: bytes = field(repr=False)

    def json(self, *, tolerate_trailing_commas: bool = False) -> dict[str, Any]:
        """The body as a JSON object, numbers exact. Raises UnreadableError."""
        try:
            text = self.body.decode("utf-8-sig")
            if tolerate_trailing_commas:
                text = re.sub(r",(\s*[}\]])", r"\1", text)
            value = json.loads(text, parse_float=Decimal)
            if "\\u" in text:
                value = _encodable(value)
        except (ValueError, RecursionError):
            raise UnreadableError("not JSON") from None
        if not isinstance(value, dict):
            raise UnreadableError("not a JSON object")
        return value


def _encodable(value: Any) -> Any:
    """JSON can contain half of a surrogate pair. Our records and answers cannot, so it becomes "?"."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(name): _encodable(item) for name, item in value.items()}
    return value


class Provider:
    """One provider host: its URL from the environment, its connections, one call at a time."""

    def __init__(self, url_variable: str) -> None:
        self.url_variable = url_variable
        # Whether the last call had no answer, or a server error: then an inquiry is not tried twice.
        self.failing = False
        self._session: requests.Session | None = None
        self._last_used = 0.0

    def url(self) -> str:
        """The URL of the provider; empty if it is not set."""
        return os.environ.get(self.url_variable, "").rstrip("/")

    def prepare(self, request: Request) -> requests.PreparedRequest:
        """Build the whole HTTP request, so that only the socket can fail later. Raises NotSentError."""
        url = self.url()
        if not url:
            raise NotSentError(f"{self.url_variable} is not set")
        headers = {"User-Agent": "vezne", **request.headers}
        try:
            return requests.Request(request.method, url + request.path, headers, data=request.body).prepare()
        except (requests.RequestException, ValueError):
            raise NotSentError("the request cannot be built") from None

    def send(
        self, prepared: requests.PreparedRequest, deadline: Deadline, longest: float = READ_SECONDS
    ) -> ProviderResponse:
        """Send once and wait for the whole answer, at most `longest` seconds of wall clock from the first byte sent.

        Raises NotSentError or AnswerLostError.
        """
        attempt = _Attempt(deadline, longest)
        token = _current_attempt.set(attempt)
        try:
            answer = self._exchange(prepared, longest)
            if attempt.expired:
                raise TimeoutError
            self.failing = answer.status >= 500
            return answer
        except Exception as error:
            self._forget_connections()
            self.failing = True
            # The class name is enough to find the cause; the text may hold the URL or the answer.
            reason = type(error).__name__
            if not attempt.began:
                raise NotSentError(reason, provider_failed=not attempt.out_of_time) from None
            raise AnswerLostError("deadline" if attempt.expired else reason) from None
        finally:
            attempt.finish()
            _current_attempt.reset(token)

    def _exchange(self, prepared: requests.PreparedRequest, longest: float) -> ProviderResponse:
        session = self._fresh_session()
        # A redirect is an answer that we do not understand. We never send an order to another address.
        response = session.send(
            prepared, stream=True, timeout=(CONNECT_SECONDS, longest), allow_redirects=False, verify=True
        )
        with contextlib.closing(response):
            # The HTTP library skips only status 100. It takes another 1xx for a final answer without a body, and keeps
            # the connection. The next order on it would then read the answer to this order.
            if response.status_code < 200:
                raise InformationalAnswerError
            body = bytearray()
            for chunk in response.raw.stream(65536, decode_content=True):
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    raise UnreadableError("answer too long")
        self._last_used = time.time()
        return ProviderResponse(response.status_code, bytes(body))

    def _fresh_session(self) -> requests.Session:
        if self._session is None:
            self._session = _money_session()
        elif not 0 <= time.time() - self._last_used <= LONGEST_IDLE_SECONDS:
            self._session.close()
        return self._session

    def _forget_connections(self) -> None:
        if self._session is not None:
            self._session.close()


class _Attempt:
    """Watches one call: notes when the first byte leaves, and closes the socket when the time is over."""

    def __init__(self, deadline: Deadline, longest: float) -> None:
        self.began = False
        self.expired = False
        # Connected, but too late to wait for an answer: that is no failure of the provider.
        self.out_of_time = False
        self._deadline = deadline
        self._longest = longest
        self._timer: Timer | None = None

    def begin(self, sock: socket.socket) -> None:
        """Called with the connected socket just before the first byte is written."""
        if not self.began:
            seconds = min(self._longest, self._deadline.left() - FINALISE_SECONDS)
            if seconds < SHORTEST_READ_SECONDS:
                self.out_of_time = True
                raise TimeoutError
            self.began = True
            self._timer = _timer_thread.schedule(seconds, functools.partial(self._cut, sock))

    def finish(self) -> None:
        if self._timer is not None:
            _timer_thread.cancel(self._timer)

    def _cut(self, sock: socket.socket) -> None:
        # The time-out of the socket starts again with every byte: a slow server would keep us past the deadline.
        self.expired = True
        with contextlib.suppress(OSError), _descriptor_of(sock) as twin:
            twin.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _descriptor_of(sock: socket.socket) -> Iterator[socket.socket]:
    """The plain socket under a TLS socket. Shutting it down does not change the TLS state that another thread reads."""
    twin = socket.socket(sock.family, sock.type, fileno=os.dup(sock.fileno()))
    try:
        yield twin
    finally:
        twin.close()


_timer_thread = TimerThread()
_current_attempt: ContextVar[_Attempt] = ContextVar("attempt")


class _WatchedConnection(HTTPConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _current_attempt.get().begin(self.sock)
        super().send(data)


class _WatchedTLSConnection(HTTPSConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _current_attempt.get().begin(self.sock)
        super().send(data)


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _WatchedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLSConnection


class _Adapter(HTTPAdapter):
    """Connections that are watched and share one TLS context.

    Without this, requests makes each connection read the file of certificate authorities again: 15 ms of processor
    time.
    """

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As in requests, with our context and our connections."""
        super().init_poolmanager(*args, **options, ssl_context=tls.context())
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTLSPool}

    def cert_verify(self, conn: Any, *_args: Any) -> None:
        """Verify every certificate, even if a caller asks not to. The context has the authorities."""
        conn.cert_reqs = "CERT_REQUIRED"


def _money_session() -> requests.Session:
    session = requests.Session()
    # A .netrc entry or a proxy variable must not replace our Authorization header or see the order.
    session.trust_env = False
    adapter = _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
