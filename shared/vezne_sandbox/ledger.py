"""What the sandboxes remember: bookings, calls, the clock and the secrets they accept."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

ISTANBUL = timezone(timedelta(hours=3))
"""Türkiye has had no summer time since 2016."""

CREDENTIALS = Path(__file__).with_name("credentials.json")


class Clock:
    """The sandboxes' time. Tests advance it instead of sleeping."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self._ahead += seconds

    def utc(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def istanbul(self) -> datetime:
        """Return the present moment in the providers' time zone."""
        return datetime.fromtimestamp(self.now(), ISTANBUL)


def seven_digit_fraction(moment: datetime) -> str:
    """Write a time in the form of walletgate and Paynet: ISO 8601, offset, seven digits of a second (.NET ticks)."""
    offset = moment.strftime("%z")
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}1{offset[:3]}:{offset[3:]}"


@dataclass
class Booking:
    """Money that moved at a provider.

    ``request`` is what was received. Card numbers, IBANs and identity numbers in it are masked.
    """

    provider: str
    operation: str
    reference: str
    references: dict[str, str]
    amount: Decimal
    currency: str
    request: dict[str, Any]
    at: float = 0
    """When it was booked, seconds since 1970; set by the ledger."""
    answer: dict[str, Any] = field(default_factory=dict)
    """Ids the provider gave the payment, for its look-up."""

    def as_json(self) -> dict[str, Any]:
        """Describe the booking for the control API: amounts as decimal strings, time as ISO 8601 UTC."""
        return {
            **asdict(self),
            "amount": str(self.amount),
            "answer": {name: str(v) if isinstance(v, Decimal) else v for name, v in self.answer.items()},
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(),
        }


@dataclass
class LoggedCall:
    """One call of a provider. ``outcome`` is "answer" or the fault, ``booked`` says whether the call moved money."""

    provider: str
    operation: str
    reference: str
    at: str
    outcome: str = "arrived"
    status: int | None = None
    """HTTP status of the provider's own answer, before a fault changed or withheld it."""
    booked: bool | str = False
    """True, False, or "later"."""
    rule: int | None = None


class Tokens:
    """Access tokens of one provider."""

    def __init__(self, clock: Clock, lifetime: int) -> None:
        self._clock = clock
        self.lifetime = lifetime
        self._expiry: dict[str, float] = {}

    def issue(self) -> str:
        """Make a new token, valid for ``lifetime`` seconds. Older ones stay valid."""
        token = f"sandbox-token-{uuid.uuid4().hex}"
        self._expiry[token] = self._clock.now() + self.lifetime
        return token

    def accepts(self, authorization: str | None) -> bool:
        """Tell whether an ``Authorization`` header has a valid token."""
        scheme, _, token = (authorization or "").partition(" ")
        return scheme == "Bearer" and self._expiry.get(token, 0) > self._clock.now()

    def accept_those_of(self, earlier: Tokens) -> None:
        """Accept the tokens that ``earlier`` issued, too."""
        self._expiry.update(earlier._expiry)

    def revoke(self) -> int:
        """Forget all tokens and return how many there were."""
        revoked = len(self._expiry)
        self._expiry.clear()
        return revoked


class Secrets:
    """The secret values one provider accepts, per field. A field has several during a rotation."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._accepted = {name: [value] for name, value in values.items()}

    def accepts(self, name: str, value: object) -> bool:
        """Tell whether ``value`` is an accepted value of the field ``name``."""
        return value in self._accepted[name]

    def accepted(self, name: str) -> list[Any]:
        """Return the accepted values of a field."""
        return self._accepted[name]

    def replace(self, name: str, value: Any) -> None:
        """Accept another value, or several in a list, from now on."""
        if name not in self._accepted:
            raise KeyError(name)
        self._accepted[name] = value if isinstance(value, list) else [value]


class Ledger:
    """The memory shared by the five providers of one server."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.bookings: list[Booking] = []
        self.calls: list[LoggedCall] = []

    def book(self, booking: Booking, at: float | None = None) -> None:
        """Move the money: keep ``booking``, booked now or at the time given."""
        booking.at = self.clock.now() if at is None else at
        self.bookings.append(booking)

    def log(self, provider: str, operation: str) -> LoggedCall:
        """Log a call that has just arrived."""
        call = LoggedCall(provider, operation, "", self.clock.utc().isoformat())
        self.calls.append(call)
        return call

    def of(self, provider: str, *, hidden_seconds: float = 0) -> list[Booking]:
        """List a provider's bookings, without those younger than ``hidden_seconds``."""
        latest = self.clock.now() - hidden_seconds
        return [b for b in self.bookings if b.provider == provider and (not hidden_seconds or b.at <= latest)]


def load_credentials() -> dict[str, dict[str, Any]]:
    """Read the sandbox credentials, one dictionary per provider, with the field names of the secrets."""
    credentials: dict[str, dict[str, Any]] = json.loads(CREDENTIALS.read_text(encoding="utf-8"))
    return credentials
