"""What the five sandboxes have in common: operations, payments and the refusals every provider knows."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import Booking, Ledger, Secrets, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from vezne_sandbox.wire import Call, Reply


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

        Called again when a late booking falls due.
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
        """Accept an order that will be booked. Return the time of the booking in seconds since 1970; None: at once."""
        return None

    def odd_refusal(self) -> Reply:
        """Write an answer that looks like a refusal but is none by the page: the fault ``odd_refusal``."""
        raise NotImplementedError

    def other_reference(self) -> str:
        """Return a reference in the provider's form that is not the payment's."""
        return f"other-{self.booking.reference}"


def no_reference(_: Call) -> str:
    """Return the reference of a call that concerns no payment: none."""
    return ""


def json_field(name: str) -> Callable[[Call], str]:
    """Make a function that reads a call's reference from a field of its JSON body."""

    def read(call: Call) -> str:
        return str(call.json().get(name, ""))

    return read


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One address of a provider. A module of the provider's folder that holds one is served: there is no list.

    ``kind`` is "login", "pay" or "look_up". ``handle`` gets the provider and the call. It returns the answer, or the
    payment that a valid order makes. The server then books the payment and asks it for its answer. ``reference`` reads
    the payment's reference from a call. ``faults`` are those beyond the common ones of its kind.

    Of a payment only: ``code_pattern`` is the form of the codes that a refusal can have. ``look_up`` is the operation
    that shows the payment, and ``shown_for_certain`` says that the page promises this. ``paid_once`` says that the
    provider refuses a second payment under the same reference.
    """

    name: str
    kind: str
    method: str
    path: str
    handle: Callable[[Any, Call], Payment | Reply]
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

    @classmethod
    def operations(cls) -> list[Operation]:
        """List the addresses served: every ``Operation`` in the modules of the provider's folder."""
        folder = importlib.import_module(cls.__module__)
        names = [found.name for found in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}.")]
        values = [value for name in names for value in vars(importlib.import_module(name)).values()]
        return [value for value in values if isinstance(value, Operation)]

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
