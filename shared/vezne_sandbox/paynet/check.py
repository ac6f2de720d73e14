"""The rows of a transaction, found by ``xact_id`` or ``reference_no``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vezne_sandbox.paynet.pre_authorisations import reference
from vezne_sandbox.paynet.rows import ROW_FAULTS, rows_of
from vezne_sandbox.provider import Operation

if TYPE_CHECKING:
    from vezne_sandbox.paynet import Paynet
    from vezne_sandbox.wire import Call, Reply


def check(provider: Paynet, call: Call) -> Reply:
    """List the transaction's rows, found by ``xact_id`` or ``reference_no``."""
    fields = provider.authorized_fields(call, frozenset({"xact_id", "reference_no"}))
    return rows_of(provider.pre_authorisation(fields), provider.clock, call, {})


CHECK = Operation(
    name="paynet.check",
    kind="look_up",
    method="POST",
    path="/v1/transaction/check",
    handle=check,
    reference=reference,
    faults=ROW_FAULTS,
)
