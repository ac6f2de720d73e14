"""5.20: mark several payments as paid that were paid outside HASO. The token is not computed over their codes.

The first code names a booking. Assumptions, since the page does not say: as for 5.6. If one of the payments is paid
already, all are refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vezne_sandbox.haso.replies import failure
from vezne_sandbox.haso.set_paid import OPTIONAL, SET_PAID, Marking
from vezne_sandbox.wire import Refused

if TYPE_CHECKING:
    from vezne_sandbox.haso import Haso
    from vezne_sandbox.provider import Payment
    from vezne_sandbox.wire import Call

SIGNED = ("merchantId", "merchantOid", "paymentReferenceCode", "paymentDate")


def set_paid_bulk(provider: Haso, call: Call) -> Payment:
    """Check the fields and the signature of 5.20."""
    fields = provider.signed_fields(call, SIGNED, optional=OPTIONAL, unsigned=("paymentCodes",))
    codes = fields.get("paymentCodes")
    if not isinstance(codes, list) or not codes or not all(isinstance(code, str) and code for code in codes):
        raise Refused(failure("paymentCodes must be a list of codes"))
    return Marking(provider, call, {**fields, "paymentCodes": " ".join(codes)}, codes, codes[0])


def _first_code(call: Call) -> str:
    codes = call.json().get("paymentCodes")
    return str(codes[0]) if isinstance(codes, list) and codes else ""


SET_PAID_BULK = replace(
    SET_PAID,
    name="haso.set_paid_bulk",
    path="/RequestV2/SetBulkPaidPayment",
    handle=set_paid_bulk,
    reference=_first_code,
)
