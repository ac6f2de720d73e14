"""The two clients: the same steps, carried out by a blocking and by an asynchronous httpx client."""

import asyncio
import math
import re
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, Self, TypedDict, TypeVar, Unpack
from urllib.parse import quote

import httpx
from vezne.providers.models import RequestModel, ResultModel

from . import steps
from .calls import DryRun, Health, InquiryCall, Operation, OrderCall, Page, Report, read_operation, read_page
from .steps import Came, Lost, Send, Steps, Succeeded, Unsent, Wait

Q = TypeVar("Q", bound=RequestModel)
A = TypeVar("A", bound=ResultModel)
T = TypeVar("T")

# Longer than the gateway's own 29 s.
ANSWER_SECONDS = 35.0
CONNECT_SECONDS = 5.0
TOKEN_MARGIN_SECONDS = 60.0
# The API's own rule for an Idempotency-Key. A token has to fit into a header, too.
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_TOKEN = re.compile(r"[\x21-\x7e]+")
# No connection was made, so nothing of the request left.
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
# No request of HTTP can be made of it, now or later.
_NOT_HTTP = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)


class Wanted(TypedDict, total=False):
    """Which operations to list. `since` and `until`: when they were made, with a zone; `until` itself is excluded.

    `key`: your Idempotency-Key, with or without `operation`. `reference`: your own name for the order.
    """

    status: Literal["processing", "succeeded", "declined", "unknown", "not_executed"]
    operation: str
    since: datetime
    until: datetime
    key: str
    reference: str


@dataclass(frozen=True)
class Credentials:
    """An OAuth2 client of the API, and where it gets its tokens. `headers` are sent to the token address only."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Token:
    text: str = field(repr=False)
    until: float


class _Common:
    """What both clients do alike: build steps, remember a token, and tell what came of a request."""

    def __init__(self, api_url: str, credentials: Credentials) -> None:
        self._api_url = api_url.rstrip("/")
        self._credentials = credentials
        self._token: _Token | None = None
        self._now = time.monotonic

    def _order(
        self, call: OrderCall[Q, A], request: Q, key: str | None, label: dict[str, Any], wait_seconds: float
    ) -> Steps[Succeeded[A]]:
        key = str(uuid.uuid4()) if key is None else key
        if not _KEY.fullmatch(key):
            raise ValueError("the key must be 1 to 255 visible ASCII characters")
        path, fields = call.target(request)
        fields |= {name: value for name, value in label.items() if value is not None}
        return steps.order(path, fields, key, call.read, self._now() + wait_seconds, self._now)

    def _dry_run(self, call: OrderCall[Q, A], request: Q, key: str | None, wait_seconds: float) -> Steps[DryRun]:
        path, fields = call.target(request)
        headers = {"Vezne-Dry-Run": "true", **({} if key is None else {"Idempotency-Key": key})}
        until = self._now() + wait_seconds
        send = Send("POST", path, until, steps.SHORTEST_INQUIRY_SECONDS, headers, json=fields)
        return steps.inquiry(send, DryRun.model_validate, self._now)

    def _ask(self, call: InquiryCall[Q, A], request: Q, wait_seconds: float) -> Steps[A]:
        path, fields = call.target(request)
        until = self._now() + wait_seconds
        if call.in_body:
            send = Send("POST", path, until, steps.SHORTEST_INQUIRY_SECONDS, json=fields)
        else:
            send = Send("GET", path, until, steps.SHORTEST_INQUIRY_SECONDS, query=fields)
        return steps.inquiry(send, call.read, self._now)

    def _read(self, operation_id: str, wait_seconds: float) -> Steps[Operation]:
        path, until = f"/operations/{quote(operation_id, safe='')}", self._now() + wait_seconds
        send = Send("GET", path, until, steps.SHORTEST_INQUIRY_SECONDS)
        return steps.inquiry(send, read_operation, self._now)

    def _page(self, query: dict[str, str], wait_seconds: float) -> Steps[Page]:
        send = Send("GET", "/operations", self._now() + wait_seconds, steps.SHORTEST_INQUIRY_SECONDS, query=query)
        return steps.inquiry(send, read_page, self._now)

    def _health(self, wait_seconds: float) -> Steps[Health]:
        send = Send("GET", "/health", self._now() + wait_seconds, steps.SHORTEST_INQUIRY_SECONDS)
        return steps.inquiry(send, Health.model_validate, self._now)

    def _report(self, provider: str, day: date, wait_seconds: float) -> Steps[Report]:
        path, until = f"/reconciliations/{quote(provider, safe='')}/{day.isoformat()}", self._now() + wait_seconds
        send = Send("GET", path, until, steps.SHORTEST_INQUIRY_SECONDS)
        return steps.inquiry(send, Report.model_validate, self._now)

    def _seconds(self, send: Send) -> float:
        """How long to wait for an answer now."""
        return min(ANSWER_SECONDS, max(send.until - self._now(), send.at_least))

    def _timeout(self, send: Send) -> httpx.Timeout:
        seconds = self._seconds(send)
        return httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))

    def _known_token(self) -> str | None:
        known = self._token
        return known.text if known and self._now() < known.until else None

    def _token_request(self, send: Send) -> dict[str, Any]:
        own = self._credentials
        data = {"grant_type": "client_credentials", **({"scope": " ".join(own.scopes)} if own.scopes else {})}
        return {"url": own.token_url, "data": data, "auth": (own.client_id, own.client_secret), "headers": own.headers,
                "timeout": self._timeout(send)}  # fmt: skip

    def _remember(self, answer: httpx.Response) -> str | Unsent:
        """The token in an answer of the token address. Where no lifetime is told, it is good until it is refused."""
        if answer.status_code != 200:
            again = answer.status_code == 429 or answer.status_code >= 500
            return Unsent(f"no token, HTTP {answer.status_code}", again)
        try:
            body = answer.json()
            token, lifetime = body["access_token"], float(body.get("expires_in", math.inf))
            usable = _TOKEN.fullmatch(token)
        except Exception:
            # Whatever is wrong with it, there is no token in it.
            usable = None
        if not usable:
            return Unsent("no token, the answer has none", again=False)
        self._token = _Token(token, self._now() + lifetime - TOKEN_MARGIN_SECONDS)
        return self._token.text

    def _request(self, http: httpx.Client | httpx.AsyncClient, send: Send, token: str) -> httpx.Request | Unsent:
        headers = {**send.headers, "Authorization": f"Bearer {token}"}
        try:
            return http.build_request(
                send.method, self._api_url + send.path, headers=headers, json=send.json, params=send.query,
                timeout=self._timeout(send),
            )  # fmt: skip
        except Exception as error:
            return Unsent(type(error).__name__, again=False)

    def _answered(self, answer: httpx.Response) -> httpx.Response:
        """The answer; a token that it refuses is forgotten, unless another order has renewed it already."""
        known = self._token
        if answer.status_code == 401 and known and answer.request.headers["Authorization"] == f"Bearer {known.text}":
            self._token = None
        return answer


class Client(_Common):
    """The blocking client. It may be shared by threads."""

    def __init__(self, api_url: str, credentials: Credentials, transport: httpx.BaseTransport | None = None) -> None:
        super().__init__(api_url, credentials)
        self._http = httpx.Client(transport=transport)
        self._sleep = time.sleep
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def order(
        self,
        call: OrderCall[Q, A],
        request: Q,
        *,
        key: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
        wait_seconds: float = 60,
    ) -> Succeeded[A]:
        """Have an order performed once, and wait for its outcome. Give your own key to survive your own restart.

        No attempt begins after `wait_seconds`; the last one has ten seconds to be answered. Raises OutcomeUnknown if
        the money may have moved. Raises ResultDoesNotFit if it has moved but the result cannot be read. Raises Problem
        or NotSent if no money moved. Each carries the key. Raises ValueError if the key is none. `reference` and
        `metadata` are yours: they are kept with the order and answered, and never sent to the provider.
        """
        return self._carry_out(self._order(call, request, key, _label(reference, metadata), wait_seconds))

    def dry_run(self, call: OrderCall[Q, A], request: Q, *, key: str | None = None, wait_seconds: float = 60) -> DryRun:
        """Show what an order would send, and send nothing. Raises Problem, Unanswered or ResultDoesNotFit.

        With `key` it tells whether an order stands under it. Give one only to a deployment that knows dry runs: an
        earlier version takes a request with a key for an order, and refuses one without.
        """
        return self._carry_out(self._dry_run(call, request, key, wait_seconds))

    def ask(self, call: InquiryCall[Q, A], request: Q, *, wait_seconds: float = 60) -> A:
        """Ask a provider. Raises Problem, Unanswered or ResultDoesNotFit."""
        return self._carry_out(self._ask(call, request, wait_seconds))

    def read(self, operation_id: str, *, wait_seconds: float = 60) -> Operation:
        """Read one of this client's operations. Raises Problem, Unanswered or ResultDoesNotFit."""
        return self._carry_out(self._read(operation_id, wait_seconds))

    def operations(self, *, wait_seconds: float = 60, **wanted: Unpack[Wanted]) -> Iterator[Operation]:
        """This client's operations, newest first: all, or those that are wanted. It asks for a page when it is needed.

        An order is listed a moment after it was made. Each page is waited for so long. Raises as `read` does.
        """
        query = _query(wanted)
        while True:
            page = self._carry_out(self._page(query, wait_seconds))
            yield from page.operations
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor

    def health(self, *, wait_seconds: float = 60) -> Health:
        """Tell how the providers are. Raises Problem, Unanswered or ResultDoesNotFit."""
        return self._carry_out(self._health(wait_seconds))

    def report(self, provider: str, day: date, *, wait_seconds: float = 60) -> Report:
        """Read the report of a provider's day. Raises Problem, Unanswered or ResultDoesNotFit."""
        return self._carry_out(self._report(provider, day, wait_seconds))

    def _carry_out(self, plan: Steps[T]) -> T:
        came: Came = None
        while True:
            try:
                step = plan.send(came)
            except StopIteration as end:
                value: T = end.value
                return value
            came = self._take(step)

    def _take(self, step: Send | Wait) -> Came:
        if isinstance(step, Send):
            return self._send(step)
        self._sleep(step.seconds)
        return None

    def _send(self, send: Send) -> Came:
        token = self._token_for(send)
        request = token if isinstance(token, Unsent) else self._request(self._http, send, token)
        if isinstance(request, Unsent):
            return request
        try:
            return self._answered(self._http.send(request))
        except Exception as error:
            return _failed(error)

    def _token_for(self, send: Send) -> str | Unsent:
        # One at a time: the others find the token that the first one got.
        if not self._lock.acquire(timeout=self._seconds(send)):
            return Unsent("no token in time")
        try:
            return self._known_token() or self._remember(self._http.post(**self._token_request(send)))
        except Exception as error:
            return _no_token(error)
        finally:
            self._lock.release()


class AsyncClient(_Common):
    """The asynchronous client."""

    def __init__(
        self, api_url: str, credentials: Credentials, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(api_url, credentials)
        self._http = httpx.AsyncClient(transport=transport)
        self._sleep = asyncio.sleep
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def order(
        self,
        call: OrderCall[Q, A],
        request: Q,
        *,
        key: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
        wait_seconds: float = 60,
    ) -> Succeeded[A]:
        """As `Client.order`."""
        return await self._carry_out(self._order(call, request, key, _label(reference, metadata), wait_seconds))

    async def dry_run(
        self, call: OrderCall[Q, A], request: Q, *, key: str | None = None, wait_seconds: float = 60
    ) -> DryRun:
        """As `Client.dry_run`."""
        return await self._carry_out(self._dry_run(call, request, key, wait_seconds))

    async def ask(self, call: InquiryCall[Q, A], request: Q, *, wait_seconds: float = 60) -> A:
        """As `Client.ask`."""
        return await self._carry_out(self._ask(call, request, wait_seconds))

    async def read(self, operation_id: str, *, wait_seconds: float = 60) -> Operation:
        """As `Client.read`."""
        return await self._carry_out(self._read(operation_id, wait_seconds))

    async def operations(self, *, wait_seconds: float = 60, **wanted: Unpack[Wanted]) -> AsyncIterator[Operation]:
        """As `Client.operations`."""
        query = _query(wanted)
        while True:
            page = await self._carry_out(self._page(query, wait_seconds))
            for operation in page.operations:
                yield operation
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor

    async def health(self, *, wait_seconds: float = 60) -> Health:
        """As `Client.health`."""
        return await self._carry_out(self._health(wait_seconds))

    async def report(self, provider: str, day: date, *, wait_seconds: float = 60) -> Report:
        """As `Client.report`."""
        return await self._carry_out(self._report(provider, day, wait_seconds))

    async def _carry_out(self, plan: Steps[T]) -> T:
        came: Came = None
        while True:
            try:
                step = plan.send(came)
            except StopIteration as end:
                value: T = end.value
                return value
            came = await self._take(step)

    async def _take(self, step: Send | Wait) -> Came:
        if isinstance(step, Send):
            return await self._send(step)
        await self._sleep(step.seconds)
        return None

    async def _send(self, send: Send) -> Came:
        token = await self._token_for(send)
        request = token if isinstance(token, Unsent) else self._request(self._http, send, token)
        if isinstance(request, Unsent):
            return request
        try:
            return self._answered(await self._http.send(request))
        except Exception as error:
            return _failed(error)

    async def _token_for(self, send: Send) -> str | Unsent:
        try:
            # One at a time: the others find the token that the first one got.
            async with asyncio.timeout(self._seconds(send)), self._lock:
                return self._known_token() or self._remember(await self._http.post(**self._token_request(send)))
        except TimeoutError:
            return Unsent("no token in time")
        except Exception as error:
            return _no_token(error)


def _query(wanted: Wanted) -> dict[str, str]:
    """The parameters of GET /operations. A time without a zone would be taken for another one: ValueError."""
    query: dict[str, str] = {}
    for name, value in wanted.items():
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"{name} must have a zone")
        named = {"since": "from", "until": "to"}.get(name, name)
        query[named] = value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
    return query


def _label(reference: str | None, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    return {"reference": reference, "metadata": None if metadata is None else dict(metadata)}


def _failed(error: Exception) -> Unsent | Lost:
    """What came of a request to the API that got no answer which can be read. By default nobody knows."""
    name = type(error).__name__
    if isinstance(error, _NOT_HTTP):
        return Unsent(name, again=False)
    return Unsent(name) if isinstance(error, _NOT_CONNECTED) else Lost(name)


def _no_token(error: Exception) -> Unsent:
    may_help = isinstance(error, httpx.RequestError) and not isinstance(error, _NOT_HTTP)
    return Unsent(f"no token, {type(error).__name__}", again=may_help)
