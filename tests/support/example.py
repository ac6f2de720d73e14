"""What a test needs to know of an operation, and cannot ask its declaration, its golden event or the sandbox."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.provider_server import Call, Reply

if TYPE_CHECKING:
    from vezne.orders.record import Record
    from vezne_cli.catalogue import OrderFunction

    from tests.support.order import Order

# What stands in front of a provider's paths where the recording server is in its place.
BASES = {"haso": "/servis"}


@dataclass(frozen=True)
class Wire:
    """How a merchant's own program sends the order to the provider, and where the answer says what.

    `send` gets the merchant of tests/unit/sandbox and fields to change; `amount` is what moves, in major units.
    """

    send: Callable[..., Any]
    amount: float
    amount_in: Callable[[Any], float] | None = None
    reference: str = ""
    reference_in: Callable[[Any], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Example:
    """An operation's orders, and how its provider answers them.

    Requests have all fields of the model in one dictionary, also those that the API has in its path. The provider's
    answers are for `tests/support/provider_server.py`; the sandbox answers by itself.
    """

    operation: str
    # A request that nobody has sent before, from a mark that is in no other, and an amount for those that name one.
    new: Callable[[str, str], dict[str, Any]]
    # The field that names the payment in the sandbox's books.
    named_by: str
    # The fields that say how much. Empty if the provider knows it: then `moves` is what it is in the sandbox.
    amounts: tuple[str, ...] = ()
    moves: str = ""
    # Each amount is the new total, so the same one again moves nothing.
    is_total: bool = False
    # The look-up knows the order by its time: by clocks that differ, what is found proves nothing.
    found_by_time: bool = False
    # What the sandbox must be told first, for the order of this mark: `Sandbox.seed`, by provider.
    seed: Callable[[str], dict[str, Any]] = lambda _: {}
    # Whether the sandbox takes the golden order only once, under whatever key.
    once: bool = False
    # One certain request, and what makes another of it under the same key.
    request: dict[str, Any]
    other: dict[str, Any]
    # The fields that the provider's page marks as required: "Zorunlu", "Evet", "Z".
    required: frozenset[str]
    # The provider's address, with the request's fields in its path, and its answers. `success` fits what was sent.
    address: str
    success: Callable[[Call], Reply]
    refusal: Reply
    refusal_code: str
    look_up_address: str
    # The look-up's answer that shows the order with this record's references and amount.
    found: Callable[["Record"], Reply]
    not_found: Reply
    wire: Wire

    @property
    def provider(self) -> str:
        return self.operation.partition(".")[0]

    @property
    def function(self) -> str:
        """The folder in functions/."""
        return self.operation.replace(".", "_")

    @property
    def declared(self) -> "OrderFunction":
        """What the catalogue knows. Loaded here only: the bench wants the provider's answers and nothing else."""
        from vezne_cli.catalogue import ORDERS

        return ORDERS[self.operation]

    @property
    def route(self) -> str:
        """The provider's route of the request, as the recording server has it."""
        return self.route_of(self.request)

    @property
    def look_up_route(self) -> str:
        return self._route(self.look_up_address, self.request)

    def route_of(self, fields: dict[str, Any]) -> str:
        """The provider's route of another request."""
        return self._route(self.address, fields)

    def _route(self, address: str, fields: dict[str, Any]) -> str:
        method, path = address.format(**fields).split(" ")
        return f"{method} {BASES.get(self.provider, '')}{path}"

    @property
    def path_parameters(self) -> dict[str, str]:
        """The request's fields that the API has in its path."""
        return {name: str(value) for name, value in self.request.items() if f"{{{name}}}" in self.declared.path}

    @property
    def body(self) -> dict[str, Any]:
        """The request's other fields."""
        return {name: value for name, value in self.request.items() if name not in self.path_parameters}

    @property
    def other_body(self) -> dict[str, Any]:
        return {**self.body, **self.other}

    def order(self, mark: str, amount: str = "10.50", **how: str) -> "Order":
        """An order of this mark. See `tests.support.order.Order` for what else it can be given."""
        from tests.support.order import Order

        moves = amount if self.amounts else self.moves
        return Order(self, mark, self.new(mark, amount), moves, **{"key": f"key-{mark}", **how})

    def __str__(self) -> str:
        return self.operation


def number_of(mark: str) -> int:
    """A number that no other mark has."""
    return int(hashlib.sha256(mark.encode()).hexdigest()[:12], 16) + 1
