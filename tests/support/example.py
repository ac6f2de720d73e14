"""What a test needs to know of an operation beyond its declaration, its golden event and the sandbox."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.support.provider_server import Answering, Call, Reply

if TYPE_CHECKING:
    from vezne.operation import Operation, Order as OrderOfThePath
    from vezne.orders.record import Record
    from vezne_cli.catalogue import OrderFunction

    from tests.support.order import Order

# The prefix of a provider's paths on the recording server.
BASES = {"haso": "/servis"}


@dataclass(frozen=True)
class Wire:
    """How a merchant's own program sends the order to the provider, and where the answer has its amount.

    `send` gets the merchant of tests/unit/sandbox and the fields to change. `amount` is what moves, in major units.
    """

    send: Callable[..., Any]
    amount: float
    amount_in: Callable[[Any], float] | None = None
    reference: str = ""
    reference_in: Callable[[Any], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Example:
    """An operation's orders, and the provider's answers to them.

    Requests have all fields of the model in one dictionary, also those that the API has in its path. The provider's
    answers are for `tests/support/provider_server.py`. The sandbox makes its own answers.
    """

    operation: str
    # Makes a new request from a unique mark, and from an amount if the request has one.
    new: Callable[[str, str], dict[str, Any]]
    # The field that names the payment in the sandbox's ledger.
    named_by: str
    # The fields of the amount. Empty if the provider knows it: then `moves` is the amount in the sandbox.
    amounts: tuple[str, ...] = ()
    moves: str = ""
    # Each amount is the new total, so the same amount again moves nothing.
    is_total: bool = False
    # The look-up knows the order by its time. Clocks may differ, so what is found may prove nothing.
    found_by_time: bool = False
    # Nothing that a look-up shows is proof: `found` and `not_found` are the most that it can show.
    never_proved: bool = False
    # What the sandbox needs to know first for the order of this mark: `Sandbox.seed`, by provider.
    seed: Callable[[str], dict[str, Any]] = lambda _: {}
    # Whether the sandbox takes the golden order only once, under any key.
    once: bool = False
    # A fixed request, and the change that makes it another request under the same key.
    request: dict[str, Any]
    other: dict[str, Any]
    # The fields that the provider's page marks as required: "Zorunlu", "Evet", "Z".
    required: frozenset[str]
    # The provider's address with the request's fields in its path, and its answers. `success` depends on what was sent.
    address: str
    success: Callable[[Call], Reply]
    refusal: Reply
    refusal_code: str
    look_up_address: str
    # What the operation asks before it sends anything, at which address, with which answer; and what that tells it.
    asked_first: tuple[str, Answering] | None = None
    learned: dict[str, str] = field(default_factory=dict)
    # The look-up's answer that shows the order of this record, with its references and amount.
    found: Callable[["Record"], Answering]
    not_found: Answering
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
        """The catalogue's entry. It is loaded only here, since the harness needs the provider's answers only."""
        from vezne_cli.catalogue import ORDERS

        return ORDERS[self.operation]

    @property
    def route(self) -> str:
        """The provider's route of the request on the recording server."""
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

    def known(
        self, operation: "Operation[Any, Any, Any]", key: str = "key-1", client: str = "client-1", **changes: Any
    ) -> "OrderOfThePath[Any]":
        """The example order, with changes, in the form of `orders/execute.py` just before its claim."""
        request = operation.request_model.model_validate({**self.request, **changes})
        return replace(operation.order(client, key, request), learned=self.learned)

    def order(self, mark: str, amount: str = "10.50", **how: str) -> "Order":
        """An order of this mark. See `tests.support.order.Order` for the other arguments."""
        from tests.support.order import Order

        moves = amount if self.amounts else self.moves
        return Order(self, mark, self.new(mark, amount), moves, **{"key": f"key-{mark}", **how})

    def __str__(self) -> str:
        return self.operation


def number_of(mark: str) -> int:
    """A number that belongs to this mark alone."""
    return int(hashlib.sha256(mark.encode()).hexdigest()[:12], 16) + 1
