"""The rows of a transaction with more fields, found by ``xact_id``, ``xact`` or ``reference_no``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vezne_sandbox.paynet.pre_authorisations import IDENTIFIERS, reference
from vezne_sandbox.paynet.rows import ROW_FAULTS, rows_of
from vezne_sandbox.provider import Operation

if TYPE_CHECKING:
    from vezne_sandbox.paynet import Paynet
    from vezne_sandbox.wire import Call, Reply


def detail(provider: Paynet, call: Call) -> Reply:
    """List the same rows with more fields, found by ``xact_id``, ``xact`` or ``reference_no``."""
    fields = provider.authorized_fields(call, frozenset(IDENTIFIERS))
    return rows_of(
        provider.pre_authorisation(fields), provider.clock, call, {"reversed": False, "reversed_xact_id": ""}
    )


DETAIL = Operation(
    name="paynet.detail",
    kind="look_up",
    method="POST",
    path="/v1/transaction/detail",
    handle=detail,
    reference=reference,
    faults=ROW_FAULTS,
)
