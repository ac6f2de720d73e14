"""What the five sandboxes have in common: operations, payments and the refusals every provider knows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import Booking, Ledger, Secrets, Tokens
from vezne_sandbox.wire import Call, Reply

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class ReplyFields:
    """What a success answer says about the payment: amount in major units, and the reference."""

    amount: Decimal
    reference: str


class Payment(ABC):
    """A valid order of a money operation, not booked yet."""

    booking: Booking

    def obstacle(self) -> Reply | None:
        """Return the provider's refusal if its books forbid this payment (a duplicate, too much), else None.

        It is asked again when a late booking falls due.
        """
        return None

    @abstractmethod
    def record(self) -> None:
        """Keep what the provider keeps besides the booking. Called once, when the money moves."""

    @abstractmethod
    def answer(self, fields: ReplyFields) -> Reply:
        """Write the page's success answer."""

    @abstractmethod
    def refuse(self, code: str | None) -> Reply:
        """Write a business refusal (funds, limits), with a documented ``code`` if one is given."""

    def accept(self) -> float | None:
        """Take the order in, which will be booked. Return when, in seconds since 1970, if that is not at once."""
        return None

    def odd_refusal(self) -> Reply:
        """Write an answer that looks like a refusal but is none by the page: the fault ``odd_refusal``."""
        raise NotImplementedError

    def other_reference(self) -> str:
        """Return a reference in the provider's form that is not the payment's."""
        return f"other-{self.booking.reference}"


Handler = Callable[[Call], Payment | Reply]


def no_reference(_: Call) -> str:
    """Answer for operations that concern no payment."""
    return ""


@dataclass(frozen=True)
class Operation:
    """One address of a provider. ``kind`` is "login", "pay" or "look_up".

    ``faults`` are those beyond the common ones; ``code_pattern`` is the form of the codes a refusal can carry.
    Of a payment: ``look_up`` is the operation that shows it, ``shown_for_certain`` whether the page promises that, and
    ``paid_once`` whether a second one under the same reference is a second payment, or refused as one.
    """

    name: str
    method: str
    path: str
    handle: Handler
    kind: str
    reference: Callable[[Call], str] = no_reference
    faults: frozenset[str] = frozenset()
    code_pattern: str = ""
    look_up: str = ""
    shown_for_certain: bool = False
    paid_once: bool = False


class Provider(ABC):
    """One provider's server. State lives as long as the object; a reset makes a new one."""

    name: str
    # The field of its secret that a rotation changes.
    rotated: str
    token_lifetime = 3600

    def __init__(self, ledger: Ledger, credentials: dict[str, Any]) -> None:
        self.ledger = ledger
        self.clock = ledger.clock
        self.secrets = Secrets(credentials)
        self.tokens = Tokens(ledger.clock, self.token_lifetime)

    @abstractmethod
    def operations(self) -> list[Operation]:
        """List the addresses served."""

    @abstractmethod
    def unauthorized(self) -> Reply:
        """Refuse a call for its token or key, in the provider's shape."""

    @abstractmethod
    def too_many_requests(self) -> Reply:
        """Refuse a call for its rate, in the provider's shape. ``Retry-After`` is added by the fault."""

    def seed(self, values: dict[str, Any]) -> None:
        """Take over what a test wants the provider to know. Unknown names are refused with KeyError."""
        for name, value in values.items():
            if name == "token_lifetime":
                self.tokens.lifetime = int(value)
            else:
                raise KeyError(name)

    def state(self) -> dict[str, Any]:
        """Describe what the provider knows besides its bookings."""
        return {}
