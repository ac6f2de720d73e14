"""GET /operations: a client's own orders, newest first, each as GET /operations/{operation_id} answers it.

It is imported for the first such call, so that it costs no other one a longer cold start.
"""

import base64
import hashlib
import json
import os
import re
from datetime import datetime
from typing import Any

from vezne.api import problems
from vezne.api.responses import IDEMPOTENCY_KEY, Event, principal, read_query, resource, response
from vezne.orders.own import Wanted
from vezne.orders.pages import page
from vezne.orders.record import (
    DECLINED,
    NOT_EXECUTED,
    OPERATION_ID,
    PROCESSING,
    SUCCEEDED,
    UNKNOWN,
    Record,
    iso_time,
    operation_id,
)
from vezne.orders.store import Store, StoreUnavailableError

STATUSES = (PROCESSING, SUCCEEDED, DECLINED, UNKNOWN, NOT_EXECUTED)
PARAMETERS = ("status", "operation", "from", "to", "key", "reference", "cursor", "limit")
USUAL_LIMIT, LARGEST_LIMIT = 20, 100
_PLACE = re.compile(rf"[0-9TZ:.-]{{24}}#{OPERATION_ID}", re.ASCII)


def answer(event: Event, store: Store) -> dict[str, Any]:
    """The answer. Raises problems.Problem."""
    given = _Given(principal(event), read_query(event))
    try:
        found, following = _by_key(given, store) if given.key else page(given.wanted, given.after, given.limit, store)
    except StoreUnavailableError:
        raise problems.StoreUnavailable("The records could not be read; nothing was changed.", retry_after=5) from None
    after = {"next_cursor": _cursor(given, following)} if following else {}
    return response(200, {"operations": [resource(record) for record in found], **after}, {})


class _Given:
    """What a caller asks for. Raises problems.InvalidRequest."""

    def __init__(self, principal: str, query: dict[str, str]) -> None:
        unknown = [name for name in query if name not in PARAMETERS]
        if unknown:
            raise _invalid("", f"takes {', '.join(PARAMETERS)}")
        self.wanted = Wanted(
            principal,
            _one_of(query, "status", STATUSES),
            _one_of(query, "operation", _operations()),
            _text(query, "reference", 100),
            _time(query, "from"),
            _time(query, "to"),
        )
        self.key = query.get("key")
        if self.key is not None and not IDEMPOTENCY_KEY.fullmatch(self.key):
            raise _invalid("key", "must be 1 to 255 visible ASCII characters")
        limit = query.get("limit", str(USUAL_LIMIT))
        if not re.fullmatch(r"[1-9][0-9]{0,2}", limit, re.ASCII) or int(limit) > LARGEST_LIMIT:
            raise _invalid("limit", f"must be a whole number from 1 to {LARGEST_LIMIT}")
        self.limit = int(limit)
        self.after = self._after(query["cursor"]) if "cursor" in query else ""

    def _after(self, cursor: str) -> str:
        """The place that a cursor names. It belongs to its client, and to the other parameters but `limit`."""
        try:
            place, _, seal = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").rpartition(" ")
        except ValueError:
            place = seal = ""
        if self.key or not _PLACE.fullmatch(place) or seal != self.seal(place):
            raise _invalid("cursor", "must be a next_cursor of this client, with the same other parameters")
        return place

    def seal(self, place: str) -> str:
        """What ties a place to the client and its question. It is no secret: it shows nothing of another client."""
        asked = self.wanted
        told = [asked.principal, asked.status, asked.operation, asked.reference, asked.since, asked.until, place]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _cursor(given: _Given, place: str) -> str:
    return base64.urlsafe_b64encode(f"{place} {given.seal(place)}".encode()).decode()


def _by_key(given: _Given, store: Store) -> tuple[list[Record], str]:
    """The orders under a key, one of each operation at most: an order's id follows from its key. All in one page."""
    names = [given.wanted.operation] if given.wanted.operation else _operations()
    ids = (operation_id(given.wanted.principal, name, given.key or "") for name in names)
    records = [record for record in filter(None, map(store.find, ids)) if given.wanted.fits(record)]
    return sorted(records, key=lambda record: record.created_at, reverse=True), ""


def _operations() -> list[str]:
    """Every name that an operation may have: the scopes of the deployment."""
    return [scope.partition("/")[2] for scope in os.environ["SCOPES"].split()]


def _one_of(query: dict[str, str], name: str, known: tuple[str, ...] | list[str]) -> str | None:
    value = query.get(name)
    if value is not None and value not in known:
        raise _invalid(name, f"must be one of: {', '.join(known)}" if name == "status" else "must name an operation")
    return value


def _text(query: dict[str, str], name: str, longest: int) -> str | None:
    value = query.get(name)
    if value is not None and not 1 <= len(value) <= longest:
        raise _invalid(name, f"must have 1 to {longest} characters")
    return value


def _time(query: dict[str, str], name: str) -> str | None:
    value = query.get(name)
    if value is None:
        return None
    try:
        stamp = datetime.fromisoformat(value)
        if stamp.tzinfo is not None:
            return iso_time(stamp.timestamp())
    except (ValueError, OverflowError):
        pass
    raise _invalid(name, "must be an ISO 8601 date-time with an offset, as 2026-11-26T00:00:00Z")


def _invalid(name: str, reason: str) -> problems.Problem:
    return problems.InvalidRequest([{"place": f"query.{name}" if name else "query", "reason": reason}])
