"""The Operation base class: one operation of one provider, as the path sees it."""

import hashlib
import hmac
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar, get_args

from vezne.orders.envelope import OF_ORDER, OF_RESULT, OWN_ID
from vezne.orders.guards import Guard, WhyRefused
from vezne.orders.outcome import Finding, Outcome
from vezne.orders.record import Record, operation_id
from vezne.providers.client import Client
from vezne.providers.credentials import RequestCredentials, SecretModel
from vezne.providers.http import READ_SECONDS, Deadline, ProviderResponse, Request
from vezne.providers.models import RequestModel, ResultModel

R = TypeVar("R", bound=RequestModel)
A = TypeVar("A", bound=ResultModel)
C = TypeVar("C", bound=SecretModel)


@dataclass(frozen=True, slots=True)
class Label:
    """What a caller writes on an order for itself. It is kept and answered, and never sent to the provider."""

    reference: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order(Generic[R]):
    """One validated request of one client under one idempotency key."""

    principal: str
    idempotency_key: str
    request: R
    operation_id: str
    # Hashes of what is sent: in the present form, and in that of earlier versions while their records exist.
    fingerprint: str
    earlier_fingerprint: str
    # Seconds since 1970. Set once, so that everything that is built or kept of the order has the same day.
    ordered_at: float = field(default_factory=time.time)
    # Not part of the fingerprint: another label makes no other order.
    label: Label = field(default_factory=Label)
    # What `Operation.ask_first` was told; empty where nothing is asked.
    learned: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Final:
    """The outcome is certain and never changes. `replayed`: an earlier request found it."""

    record: Record
    replayed: bool


@dataclass(frozen=True, slots=True)
class StillUnknown:
    """The order may have been carried out. Only evidence can end this state. `replayed`: as in `Final`."""

    record: Record
    replayed: bool


Known = Final | StillUnknown


def known(record: Record, *, replayed: bool) -> Known:
    """What a record says about its order."""
    return Final(record, replayed) if record.final else StillUnknown(record, replayed)


@dataclass(frozen=True, slots=True)
class InProgress:
    """Another request is working on the same order. `retry_after`: in seconds."""

    retry_after: int


class WhyNothingSent(Enum):
    """Why this attempt was stopped before anything was sent, or why the provider did not process it."""

    NOT_ENOUGH_TIME = "not-enough-time"
    SECRET_UNUSABLE = "secret-unusable"  # noqa: S105 # nosec B105
    LOGIN_REFUSED = "login-refused"
    SECRET_UNAVAILABLE = "secret-unavailable"  # noqa: S105 # nosec B105
    PROVIDER_UNREACHABLE = "provider-unreachable"
    PROVIDER_DOWN = "provider-down"
    STORE_UNAVAILABLE = "store-unavailable"


@dataclass(frozen=True, slots=True)
class NothingSent:
    """This attempt sent nothing, and may be repeated under the same key. `retry_after`: in seconds, if known.

    `provider_failed`: the provider's login gave no usable answer.
    """

    reason: WhyNothingSent
    retry_after: int | None = None
    provider_failed: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """An earlier order holds the guard. `holder`: its id, if it is an order of the same client."""

    reason: WhyRefused
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class DoesNotFit:
    """What the provider says of the thing shows that the order cannot be meant. `reason` is ours: no value is in it."""

    field_name: str
    reason: str


Stopped = InProgress | NothingSent | Refused | DoesNotFit
Result = Known | Stopped


class StoppedError(Exception):
    """The order was stopped; `result` says why."""

    def __init__(self, result: Stopped) -> None:
        super().__init__(type(result).__name__)
        self.result = result


class PolicyRefusedError(Exception):
    """The value of a field is not allowed by this deployment, or not by what was asked first.

    Both texts are ours and contain no value.
    """

    def __init__(self, field_name: str, reason: str) -> None:
        super().__init__(f"{field_name}: {reason}")
        self.field_name = field_name
        self.reason = reason


class Operation(ABC, Generic[R, A, C]):
    """One operation of one provider: its facts, how its request is built, and how its answers are read.

    All facts of an operation are declared here, once. Code that needs a list of operations asks `vezne_cli.catalogue`.
    """

    # "<provider>.<operation>": also the scope, the folder of functions/, and the logical name in the template.
    name: ClassVar[str]
    # Method and path, such as "POST /paynet/captures".
    route: ClassVar[str]
    # Set from the type arguments of the class.
    request_model: ClassVar[type[RequestModel]]
    result_model: ClassVar[type[ResultModel]]
    client: ClassVar[Client[Any]]
    # The field that names the payment at the provider: of the result, or of the look-up fields if the result has none
    # of that name or it begins with `order.`; `operation_id` if the provider has only our own.
    reference_field: ClassVar[str]
    # Longest wait for the whole answer, in seconds.
    timeout: ClassVar[float] = READ_SECONDS
    # The provider refuses doubles under the same reference, or sending the same order twice changes nothing.
    resend_is_safe: ClassVar[bool] = False
    # A look-up that does not show the order proves, after the settling time, that it was not executed.
    look_up_is_complete: ClassVar[bool] = False
    settling_time: ClassVar[timedelta] = timedelta(minutes=10)
    # False: a success is a request that people decide later, so no money has moved with it.
    moves_money: ClassVar[bool] = True
    # Whether `ask_first` asks something. Then a record under the same key is looked for before it asks.
    asks_first: ClassVar[bool] = False
    # Other operations whose guards its orders take, too. Each then needs rights on the other's records (template).
    shares_guards_of: ClassVar[tuple[str, ...]] = ()
    # The provider has no separate sign of wrong credentials, so a decline may mean them.
    decline_may_mean_bad_credentials: ClassVar[bool] = False
    # The call that looks an outcome up, as the evidence names it.
    look_up_call: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Take the models from `Operation[Request, Result, Credentials]`."""
        super().__init_subclass__()
        cls.request_model, cls.result_model, _ = get_args(cls.__orig_bases__[0])  # type: ignore[attr-defined]

    @classmethod
    def places(cls) -> dict[str, str]:
        """Where the name of a payment and its time stand: see `vezne.orders.envelope`.

        And what a success says of the money, if it is not that it moved.
        """
        reference, booked_at = cls.reference_field, cls.result_model.booked_at_field
        if reference != OWN_ID and not reference.startswith(OF_ORDER):
            reference = (OF_RESULT if reference in cls.result_model.model_fields else OF_ORDER) + reference
        moved = {} if cls.moves_money else {"money": "not_moved"}
        return {"provider_reference": reference, **({"booked_at": OF_RESULT + booked_at} if booked_at else {}), **moved}

    def order(self, principal: str, idempotency_key: str, request: R, label: Label | None = None) -> Order[R]:
        """Name and fingerprint a validated request."""
        known_as = operation_id(principal, self.name, idempotency_key)
        keyed = f"{principal}\n{idempotency_key}".encode()
        # During a release an earlier version reads what this one writes, and its records are kept for KeptDays. This
        # form is needed until every stack has had the newer form, of 2026-11-26, for 90 days.
        earlier = _fingerprint(keyed, request.model_dump(exclude_none=True))
        return Order(
            principal, idempotency_key, request, known_as, _fingerprint(keyed, request.identity()), earlier,
            label=label or Label(),
        )  # fmt: skip

    def check_policy(self, request: R, *, standing: bool) -> None:
        """Refuse what the provider would do, but this deployment does not allow. Raises PolicyRefusedError.

        `standing`: the order comes from a rule, which stores it, and not from a caller.
        """

    def ask_first(self, order: Order[R], deadline: Deadline) -> dict[str, str]:  # noqa: ARG002
        """What the guards must know of the thing at the provider, read before the claim. It moves nothing.

        Raises PolicyRefusedError if the order cannot be meant, and what `providers.client.ask` raises.
        """
        return {}

    @abstractmethod
    def build(self, order: Order[R], access: RequestCredentials[C]) -> Request:
        """The signed request to the provider. May raise ValueError if the provider has no form for the order."""

    @abstractmethod
    def read(self, order: Order[R], answer: ProviderResponse) -> Outcome:
        """Classify an answer below HTTP 500. What is not listed is Unknown. An exception means Unknown, too."""

    def account(self, access: RequestCredentials[C]) -> dict[str, str]:
        """The account at the provider that an order goes to. A look-up in another account proves nothing."""
        return self.client.account(access.credentials)

    def absence_counts_from(self, record: Record) -> float:
        """When (seconds since 1970) a complete look-up without the order begins to prove that it was not executed."""
        return record.may_arrive_until + self.settling_time.total_seconds()

    @abstractmethod
    def lookup_fields(self, order: Order[R]) -> dict[str, str]:
        """What a look-up needs to find the payment: references and amounts, never a secret or a card number."""

    @abstractmethod
    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """Ask the provider what became of a record's order. May raise what `providers.client` raises."""

    def guards(self, order: Order[R]) -> tuple[Guard, ...]:  # noqa: ARG002
        """Guards: further locks on what is paid or changed, if the provider has none."""
        return ()


def _fingerprint(keyed: bytes, fields: dict[str, Any]) -> str:
    """A hash of a request's fields in canonical form; amounts count by value.

    It is keyed with the idempotency key, which is not in the record. A plain hash of an account could be found by
    trying.
    """
    canonical = json.dumps(fields, default=_canonical, sort_keys=True, ensure_ascii=False)
    return hmac.new(keyed, canonical.encode(), hashlib.sha256).hexdigest()


def _canonical(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    raise TypeError(type(value).__name__)
