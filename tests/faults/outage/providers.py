"""The providers, which can be sick.

Two are fast models: they answer as their sandboxes do, and book by reference. The others are the sandboxes themselves.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from vezne_sandbox.sandbox import Sandbox
from vezne_sandbox.vakifbank.messages import DUPLICATE, EXPLANATIONS, completed, query_result
from vezne_sandbox.wire import Call

from tests.faults.in_process import as_call
from tests.faults.outage.table import NotModelled

ORDER, LOOK_UP, LOGIN = "order", "look-up", "login"
# The seconds that a healthy provider takes.
SECONDS = {ORDER: 0.6, LOOK_UP: 0.3, LOGIN: 0.3}
BAD_GATEWAY_SECONDS = 0.3
_ISTANBUL = timezone(timedelta(hours=3))


@dataclass(frozen=True)
class Answer:
    """An answer, and the seconds until it comes. `status` None: it never comes."""

    seconds: float
    status: int | None
    body: bytes = b""


@dataclass(frozen=True)
class Sickness:
    """The fault of a provider for calls of these kinds: `hang`, `502` or `slow` (8 s), for a share of them.

    `books`: whether an order that gets no answer is booked.
    """

    then: str
    kinds: frozenset[str] = frozenset({ORDER, LOOK_UP, LOGIN})
    share: float = 1.0
    books: bool = False
    slow_seconds: float = 8.0

    def befalls(self, kind: str, chance: random.Random) -> bool:
        return kind in self.kinds and (self.share >= 1 or chance.random() < self.share)


@dataclass
class Provider:
    """One provider. `booked`: reference -> the times of its bookings. `calls`: by second of the run and kind."""

    name: str
    chance: random.Random
    sickness: Sickness | None = None
    booked: dict[str, list[float]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    sick_calls: int = 0

    def answer(self, prepared: Any, now: float) -> Answer:
        """The answer to an HTTP request, which `requests` has prepared."""
        kind, respond, reference = self.read(prepared)
        self.calls[kind] += 1
        sickness = self.sickness
        self.sick_calls += sickness is not None
        if sickness is None or not sickness.befalls(kind, self.chance):
            return Answer(SECONDS[kind], 200, respond(self, reference, now))
        if sickness.then == "slow":
            return Answer(sickness.slow_seconds, 200, respond(self, reference, now))
        if kind == ORDER and sickness.books:
            respond(self, reference, now)
        if sickness.then == "hang":
            return Answer(0.0, None)
        return Answer(BAD_GATEWAY_SECONDS, 502, b"<html><body>502 Bad Gateway</body></html>")

    def read(self, prepared: Any) -> tuple[str, "Respond", str]:
        """Return the kind of a request, the function that answers it, and its reference."""
        body = prepared.body or b""
        try:
            return _ROUTES[prepared.path_url](body.encode() if isinstance(body, str) else body)
        except LookupError as error:
            raise NotModelled(prepared.path_url) from error

    def doubles(self) -> int:
        """The number of payments that were booked again."""
        return sum(len(times) - 1 for times in self.booked.values())


Respond = Callable[[Provider, str, float], bytes]


def _istanbul(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(_ISTANBUL):%Y-%m-%dT%H:%M:%S.%f0+03:00}"


def _capture_fields(reference: str, at: float) -> dict[str, Any]:
    return {
        "xact_id": f"xk_{reference}", "id": f"1{reference.rpartition('-')[2]}", "xact_date": _istanbul(at),
        "transaction_type": 4, "pos_type": 5, "is_tds": True, "amount": 49.9, "net_amount": 47.9, "currency": "TRY",
        "authorization_code": f"aut-{reference}", "reference_code": f"ref-{reference}",
        "order_id": f"order-{reference}", "is_succeed": True,
    }  # fmt: skip


def _capture(provider: Provider, reference: str, now: float) -> bytes:
    provider.booked.setdefault(reference, []).append(now)
    whole = {"object_name": "transaction", "code": 0, "message": "Başarılı İşlem"}
    return json.dumps({**_capture_fields(reference, now), **whole}).encode()


def _check(provider: Provider, reference: str, now: float) -> bytes:
    rows = [{"agent_reference": reference, **_capture_fields(reference, now - 3600), "transaction_type": 3}]
    rows += [
        {"agent_reference": reference, **_capture_fields(reference, at)} for at in provider.booked.get(reference, ())
    ]
    return json.dumps({"object_name": "transaction", "code": 0, "message": "Başarılı İşlem", "Data": rows}).encode()


def _pay(provider: Provider, code: str, now: float) -> bytes:
    if code in provider.booked:
        return query_result(code, {}, DUPLICATE, EXPLANATIONS[DUPLICATE]).body
    provider.booked[code] = [now]
    return query_result(code, _numbers(code), 1, "Tahsil Edildi").body


def _numbers(code: str) -> dict[str, str]:
    number = code.rpartition("-")[2]
    return {"TransactionObjectId": f"2022{number:0>12}", "TransactionQueryNo": number}


def _query(provider: Provider, code: str, now: float) -> bytes:
    rows = [
        {
            "InstitutionTransactionCode": code, "TransactionType": 1, "Amount": 49.9, "CurrencyType": "TL",
            "PaymentDate": _istanbul(at)[:10], "Result": True, "ErrorCode": 1, "ErrorExplanation": "Tahsil Edildi",
            **_numbers(code),
        }
        for at in provider.booked.get(code, ())
    ]  # fmt: skip
    return completed({"Result": rows}).body


def _log_in(provider: Provider, reference: str, now: float) -> bytes:
    return json.dumps({"access_token": "token", "token_type": "Bearer", "expires_in": 3600}).encode()


def _json(kind: str, respond: Respond, *names: str) -> Callable[[bytes], tuple[str, Respond, str]]:
    """Read a call with a JSON body. The reference is the first of these fields that it has."""

    def read(body: bytes) -> tuple[str, Respond, str]:
        fields = json.loads(body)
        return kind, respond, fields[next((name for name in names if name in fields), names[0])]

    return read


_ROUTES: dict[str, Callable[[bytes], tuple[str, Respond, str]]] = {
    "/v1/transaction/capture": _json(ORDER, _capture, "reference_no"),
    "/v1/transaction/check": _json(LOOK_UP, _check, "reference_no", "xact_id"),
    "/tos/payment": _json(ORDER, _pay, "InstitutionTransactionCode"),
    "/tos/query": _json(LOOK_UP, _query, "InstitutionTransactionNo"),
    "/auth/oauth/v2/token": lambda _: (LOGIN, _log_in, ""),
}


class SandboxProvider(Provider):
    """The sandbox of a provider. It is slower than a model."""

    def __init__(self, name: str, chance: random.Random) -> None:
        super().__init__(name, chance)
        self._sandbox, self._now = Sandbox(), 0.0
        self._sandbox.ledger.clock.now = lambda: self._now  # type: ignore[method-assign]

    def read(self, prepared: Any) -> tuple[str, Respond, str]:
        """Return the same; the reference is empty, because the sandbox reads it."""
        call = as_call(self._sandbox, prepared)
        return _KINDS[self._sandbox.operations[call.operation].kind], lambda _, __, now: self._respond(call, now), ""

    def _respond(self, call: Call, now: float) -> bytes:
        self._now = now
        before = len(self._sandbox.ledger.bookings)
        reply, _ = self._sandbox.answer(call)
        if reply.status != 200:
            raise NotModelled(f"{call.path}: {reply.status}")
        for booking in self._sandbox.ledger.bookings[before:]:
            (mark,) = set(_MARK.findall(" ".join([booking.reference, *booking.references.values()])))
            # HASO books totals: the same one again moves nothing.
            times = self.booked.setdefault(mark, [])
            times[:] = [now] if self.name == "haso" else [*times, now]
        return reply.body


# The providers with a fast model.
MODELLED = frozenset({"paynet", "vakifbank"})
_KINDS = {"login": LOGIN, "pay": ORDER, "look_up": LOOK_UP}
_MARK = re.compile(r"mark-\d+")


def provider_of(name: str, chance: random.Random) -> Provider:
    """The model of a provider, or its sandbox."""
    return Provider(name, chance) if name in MODELLED else SandboxProvider(name, chance)
