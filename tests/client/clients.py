"""The two clients: the same steps, carried out by a blocking and by an asynchronous httpx client."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import httpx
from vezne.models import RequestModel, ResultModel

from tests.client import steps
from tests.client.calls import InquiryCall, OrderCall
from tests.client.steps import Operation, Send, Steps, Succeeded, Wait

Q = TypeVar("Q", bound=RequestModel)
A = TypeVar("A", bound=ResultModel)
T = TypeVar("T")

# Longer than the gateway's own 29 s.
ANSWER_SECONDS = 35.0
TOKEN_MARGIN_SECONDS = 60.0


@dataclass(frozen=True)
class Credentials:
    """An OAuth2 client of the API, and where it gets its tokens. `headers` are sent to the token address only."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class _Common:
    """What both clients do alike: build steps, and remember a token."""

    def __init__(self, api_url: str, credentials: Credentials) -> None:
        self._api_url = api_url.rstrip("/")
        self._credentials = credentials
        self._token: tuple[str, float] | None = None

    def _order(self, call: OrderCall[Q, A], request: Q, key: str | None, wait_seconds: float) -> Steps[Succeeded[A]]:
        path, fields = call.target(request)
        until = time.monotonic() + wait_seconds
        return steps.order(path, fields, key or str(uuid.uuid4()), call.read, until, time.monotonic)

    def _ask(self, call: InquiryCall[Q, A], request: Q, wait_seconds: float) -> Steps[A]:
        path, fields = call.target(request)
        send = Send("POST", path, {}, json=fields) if call.in_body else Send("GET", path, {}, query=fields)
        return steps.inquiry(send, call.read, time.monotonic() + wait_seconds, time.monotonic)

    def _read(self, operation_id: str, wait_seconds: float) -> Steps[Operation]:
        send = Send("GET", f"/operations/{operation_id}", {})
        return steps.inquiry(send, steps.read_operation, time.monotonic() + wait_seconds, time.monotonic)

    def _known_token(self, fresh: bool) -> str | None:
        if fresh or self._token is None or self._token[1] <= time.monotonic():
            return None
        return self._token[0]

    def _token_request(self) -> dict[str, Any]:
        own = self._credentials
        data = {"grant_type": "client_credentials", **({"scope": " ".join(own.scopes)} if own.scopes else {})}
        return {"url": own.token_url, "data": data, "auth": (own.client_id, own.client_secret), "headers": own.headers}

    def _remember(self, answer: httpx.Response) -> str:
        answer.raise_for_status()
        body = answer.json()
        self._token = (body["access_token"], time.monotonic() + body["expires_in"] - TOKEN_MARGIN_SECONDS)
        return self._token[0]

    def _request(self, send: Send, token: str) -> dict[str, Any]:
        headers = {**send.headers, "Authorization": f"Bearer {token}"}
        return {"method": send.method, "url": self._api_url + send.path, "headers": headers, "json": send.json,
                "params": send.query}  # fmt: skip


class Client(_Common):
    """The blocking client. One per thread of control; it may be used for any number of orders."""

    def __init__(self, api_url: str, credentials: Credentials, transport: httpx.BaseTransport | None = None) -> None:
        super().__init__(api_url, credentials)
        self._http = httpx.Client(timeout=ANSWER_SECONDS, transport=transport)
        self._sleep = time.sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def order(
        self, call: OrderCall[Q, A], request: Q, *, key: str | None = None, wait_seconds: float = 60
    ) -> Succeeded[A]:
        """Have an order performed once, and wait for its outcome. Give your own key to survive your own restart.

        Raises Problem if no money moved, OutcomeUnknown if it may have.
        """
        return self._carry_out(self._order(call, request, key, wait_seconds))

    def ask(self, call: InquiryCall[Q, A], request: Q, *, wait_seconds: float = 60) -> A:
        """Ask a provider. Raises Problem."""
        return self._carry_out(self._ask(call, request, wait_seconds))

    def read(self, operation_id: str, *, wait_seconds: float = 60) -> Operation:
        """Read one of this client's operations. Raises Problem."""
        return self._carry_out(self._read(operation_id, wait_seconds))

    def _carry_out(self, plan: Steps[T]) -> T:
        came: httpx.Response | None = None
        try:
            while True:
                step = plan.send(came)
                if isinstance(step, Wait):
                    self._sleep(step.seconds)
                    came = None
                else:
                    came = self._send(step)
        except StopIteration as end:
            value: T = end.value
            return value

    def _send(self, send: Send) -> httpx.Response | None:
        try:
            token = self._known_token(send.fresh_token) or self._remember(self._http.post(**self._token_request()))
            return self._http.request(**self._request(send, token))
        except httpx.TransportError:
            return None


class AsyncClient(_Common):
    """The asynchronous client."""

    def __init__(
        self, api_url: str, credentials: Credentials, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(api_url, credentials)
        self._http = httpx.AsyncClient(timeout=ANSWER_SECONDS, transport=transport)
        self._sleep = asyncio.sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def order(
        self, call: OrderCall[Q, A], request: Q, *, key: str | None = None, wait_seconds: float = 60
    ) -> Succeeded[A]:
        """As `Client.order`."""
        return await self._carry_out(self._order(call, request, key, wait_seconds))

    async def ask(self, call: InquiryCall[Q, A], request: Q, *, wait_seconds: float = 60) -> A:
        """As `Client.ask`."""
        return await self._carry_out(self._ask(call, request, wait_seconds))

    async def read(self, operation_id: str, *, wait_seconds: float = 60) -> Operation:
        """As `Client.read`."""
        return await self._carry_out(self._read(operation_id, wait_seconds))

    async def _carry_out(self, plan: Steps[T]) -> T:
        came: httpx.Response | None = None
        try:
            while True:
                step = plan.send(came)
                if isinstance(step, Wait):
                    await self._sleep(step.seconds)
                    came = None
                else:
                    came = await self._send(step)
        except StopIteration as end:
            value: T = end.value
            return value

    async def _send(self, send: Send) -> httpx.Response | None:
        try:
            token = self._known_token(send.fresh_token)
            if token is None:
                token = self._remember(await self._http.post(**self._token_request()))
            return await self._http.request(**self._request(send, token))
        except httpx.TransportError:
            return None
