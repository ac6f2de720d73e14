"""A provider's list in memory, and orders of ours in a table in memory: for the reconciliation without a provider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import IO, Any

from vezne.orders.record import PROCESSING, SUCCEEDED, UNKNOWN, Record
from vezne.orders.store import Store
from vezne.platform.money import amount_text
from vezne.providers.client import Client
from vezne.providers.credentials import CredentialCache, SecretModel
from vezne.providers.http import Deadline, Provider
from vezne.providers.statement import RowState, Sought, Statement, StatementPage, StatementRow

from tests.support.harness import Harness

OPERATION = "paynet.capture"
ACCOUNT = {"url": "https://provider.invalid"}


class _NoCredentials(SecretModel):
    """A secret without fields."""


class _Cache(CredentialCache[_NoCredentials]):
    def credentials(self) -> _NoCredentials:
        return _NoCredentials()


class _Provider(Provider):
    def url(self) -> str:
        return ACCOUNT["url"]


@dataclass
class ListedStatement(Statement):
    """Pages of so many of the `rows`, in their order. `cut`: the list ends early, and says so."""

    provider = "paynet"
    operations = (OPERATION,)
    client = Client(_Provider("NO_URL"), _Cache(_NoCredentials))

    rows: list[StatementRow] = field(default_factory=list)
    size: int = 3
    cut: bool = False
    read: list[str] = field(default_factory=list)

    def sought(self, operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, Any]) -> Sought:
        return Sought(lookup_fields["reference_no"], amounts=frozenset({Decimal(lookup_fields["amount"])}))

    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:
        self.read.append(start)
        first = int(start or "0")
        following = first + self.size
        more = following < len(self.rows)
        return StatementPage(tuple(self.rows[first:following]), str(following) if more else "", not self.cut)


@dataclass
class MemoryArchive:
    """Objects by name."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def put(self, name: str, body: bytes | IO[bytes]) -> None:
        self.objects[name] = body if isinstance(body, bytes) else body.read()

    def get(self, name: str) -> bytes:
        return self.objects[name]


def page_of(
    harness: Harness, statement: Statement, day: date, groups: Sequence[str] = (), start: str = ""
) -> StatementPage:
    """A page as the statement reads it at the recording provider."""
    harness.use_secret(statement.provider)
    return statement.page(day, groups, start, Deadline(lambda: 900_000))


def row(reference: str, state: RowState = RowState.BOOKED, amount: str | None = "10.00", **more: Any) -> StatementRow:
    """A row that fits an order of `order`, but for what is given."""
    named = {"names": frozenset({f"id={reference}"}), "currency": "TRY", "result": {"id": reference}, **more}
    return StatementRow(reference, state, None if amount is None else Decimal(amount), **named)


def order(store: Store, reference: str, status: str = SUCCEEDED, *, amount: str = "10.00", **changed: Any) -> Record:
    """An order of ours as it stands in the table: sent now, and then as its status says."""
    now = store.now()
    record = Record(
        id=f"op_3njc{changed.get('key', reference).ljust(22, '2')}",
        operation=OPERATION,
        principal="client-1",
        fingerprint="f",
        status=PROCESSING,
        owner="o",
        lease_until=now,
        may_arrive_until=now,
        created_at=now,
        updated_at=now,
        lookup_fields={
            "reference_no": reference,
            "amount": amount_text(Decimal(amount), "TRY"),
            "currency": "TRY",
            **({"payment_date": changed["payment_date"]} if "payment_date" in changed else {}),
        },
        account=changed.get("account", ACCOUNT),
        next_look_up=now + 60,
    )
    assert store.claim(record) is None
    if status == UNKNOWN:
        return store.mark_unknown(record, now + 60)
    named = {"code": changed["code"]} if "code" in changed else {}
    return store.finalise(record, status, {"result": {"id": reference, **named}} if status == SUCCEEDED else {})
