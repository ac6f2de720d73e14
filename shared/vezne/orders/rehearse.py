"""A dry run: an order up to its claim, and the request that it would send. Nothing is sent, and nothing is kept.

What is shown of the request must not depend on a credential. So it is built twice, with our credentials and with
others: what is the same in both comes from the order alone. All else is `***`, such as a token, a signature or a
merchant's number. Of what is left, numbers of cards, accounts and persons are masked.

It is imported for the first dry run, so that no order has a longer cold start for it.
"""

import json
import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from vezne.operation import NothingSent, Operation, Order, StoppedError, WhyNothingSent
from vezne.orders.breaker import breaker_of
from vezne.orders.execute import Prepared, is_same_request, key_reused, prepare
from vezne.orders.record import Record
from vezne.orders.store import Store
from vezne.providers.credentials import RequestCredentials, SecretModel
from vezne.providers.http import Deadline
from vezne.providers.undocumented_fields import masked

HIDDEN = "***"
# Headers whose values may be shown. Of the others only the name is.
_SHOWN_HEADERS = frozenset({"accept", "content-type", "user-agent"})


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The request that an order would send, masked. `standing`: the order that stands under its key, if one does."""

    request: dict[str, Any]
    standing: Record | None


def rehearse(operation: Operation[Any, Any, Any], order: Order[Any], deadline: Deadline, store: Store) -> Rehearsal:
    """Take an order as far as the claim. Raises StoppedError, and StoreUnavailableError."""
    wait = breaker_of(operation.name, operation.client).stops_for(store)
    if wait is not None:
        raise StoppedError(NothingSent(WhyNothingSent.PROVIDER_DOWN, wait))
    standing = store.find(order.operation_id)
    if standing is not None and not is_same_request(standing, order):
        raise key_reused(standing)
    prepared = prepare(operation, order, deadline, asks=operation.asks_first and standing is None)
    if isinstance(prepared, NothingSent):
        raise StoppedError(prepared)
    return Rehearsal(_shown(prepared, _with_others(operation, order, deadline)), standing)


def _with_others(operation: Operation[Any, Any, Any], order: Order[Any], deadline: Deadline) -> Prepared:
    """The same request with other credentials and another token."""
    own = operation.client.credential_cache.access(deadline)
    access = RequestCredentials(_others(own.credentials), secrets.token_hex(16), own.secret_version)
    return Prepared(operation.client.provider.prepare(operation.build(order, access)), {})


def _others(credentials: SecretModel) -> SecretModel:
    """Credentials of which every field that is set is another one."""
    changed: dict[str, Any] = {}
    for name in type(credentials).model_fields:
        match getattr(credentials, name):
            case SecretStr():
                changed[name] = SecretStr(secrets.token_hex(16))
            case str():
                changed[name] = secrets.token_hex(16)
            case int() as number:
                changed[name] = number + 1 + secrets.randbelow(1_000_000)
    return credentials.model_copy(update=changed)


def _shown(own: Prepared, others: Prepared) -> dict[str, Any]:
    url, other = urlsplit(str(own.request.url)), urlsplit(str(others.request.url))
    headers = own.request.headers
    return {
        "method": own.request.method,
        "host": url.netloc,
        "path": "/".join(map(_same, _parts(url.path), _parts(other.path))),
        **({"query": _same(url.query, other.query)} if url.query else {}),
        "headers": {
            name: _same(value, others.request.headers.get(name)) if name.lower() in _SHOWN_HEADERS else HIDDEN
            for name, value in headers.items()
        },
        "body": _same(_read(own), _read(others)),
    }


def _parts(path: str) -> list[str]:
    return path.split("/")


def _read(prepared: Prepared) -> Any:
    """The body as its content type says: the fields of a form, or JSON; else as text."""
    body = prepared.request.body or b""
    text = body if isinstance(body, str) else body.decode()
    kind = str(prepared.request.headers.get("Content-Type", ""))
    if "json" in kind:
        return json.loads(text, parse_float=Decimal)
    if "form" in kind:
        fields: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            fields.setdefault(name, []).append(value)
        return fields
    return text


def _same(own: Any, other: Any, name: str = "") -> Any:
    """What is the same in both, masked; `***` for everything else."""
    if isinstance(own, dict):
        fields = other if isinstance(other, dict) else {}
        return {field: _same(value, fields.get(field), field) for field, value in own.items()}
    if isinstance(own, list):
        items = [*other, *[None] * len(own)] if isinstance(other, list) else [None] * len(own)
        return [_same(value, theirs, name) for value, theirs in zip(own, items, strict=False)]
    return masked(own, name) if own == other and type(own) is type(other) else HIDDEN
