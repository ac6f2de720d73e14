"""The list of vaults that a collection can go into."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from vezne_sandbox.kolaybi.replies import failure
from vezne_sandbox.provider import Operation
from vezne_sandbox.wire import Call, Reply, json_reply

if TYPE_CHECKING:
    from vezne_sandbox.kolaybi import KolayBi

VAULTS = (
    {"id": 10201, "name": "Merkez Kasa", "type": "SAFE_DEPOSIT", "currency": "try"},
    {"id": 10202, "name": "Banka Hesabı", "type": "BANK_ACCOUNT", "currency": "try"},
    {"id": 10203, "name": "Euro Hesabı", "type": "BANK_ACCOUNT", "currency": "eur"},
)


def list_vaults(provider: KolayBi, call: Call) -> Reply:
    """List vaults, filtered by ``currency`` and ``type`` (``bank_account`` or ``safe_deposit``)."""
    provider.require_token(call)
    wanted = {name: value.lower() for name, value in call.query.items()}
    if set(wanted) - {"currency", "type"}:
        return failure(422, "Unknown filter.")
    rows = [
        {**vault, "balance": balance(provider, str(vault["id"]))}
        for vault in VAULTS
        if all(str(vault[name]).lower() == value for name, value in wanted.items())
    ]
    return json_reply({"data": rows})


def balance(provider: KolayBi, gateway_id: str) -> Decimal:
    """Add up what was collected into a vault, on invoices as well."""
    into = [(b.request.get("gateway_id") or b.request.get("vault_id"), b) for b in provider.ledger.of(provider.name)]
    collected = [booking.amount for vault, booking in into if vault == gateway_id]
    return sum(collected, Decimal(0)).quantize(Decimal("0.01"))


LIST_VAULTS = Operation(
    name="kolaybi.list_vaults", kind="look_up", method="GET", path="/kolaybi/v1/vaults", handle=list_vaults
)
