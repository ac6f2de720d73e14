"""The requests to give money back (page "İade Listesi": list of refunds), page by page.

Assumptions, since the page's table of rows is visible up to ``card_holder`` only:
- ``datab`` and ``datbi`` are days of ``entry_date``, on which the request came, and ``datbi`` counts;
- ``id`` and ``xact_id`` are those of the transaction that is to be given back;
- a row has its amount and its currency. ``reversed_xact_id`` and ``reversed_id`` are empty until the staff approves.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import ISTANBUL
from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.paynet.list_transactions import day_of, list_of_days
from vezne_sandbox.paynet.pre_authorisations import RefundRequest
from vezne_sandbox.provider import Operation
from vezne_sandbox.statements import PAGE_FAULTS, ROW_FAULTS, listed

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from vezne_sandbox.paynet import Paynet
    from vezne_sandbox.wire import Call, Reply

# No field of a row is a sign of success: what was taken may be decided either way. A day in no known form is odd, too.
ROW = Names(
    reference="xact_id",
    amount="amount",
    currency="currency",
    signs=("entry_date",),
    cancelled={"entry_date": None},
    pending={"entry_date": ""},
)


def list_reversals(provider: Paynet, call: Call) -> Reply:
    """List the requests of the days asked for, the oldest first."""

    def rows(_: dict[str, Any], first: date, last: date) -> list[dict[str, Any]]:
        latest = provider.clock.now() - call.hidden_seconds
        told = [one for one in provider.refund_requests() if first <= day_of(one.at) <= last]
        found = [row_of(one, call) for one in told if not call.hidden_seconds or one.at <= latest]
        return listed(found, call, ids=("xact_id", "id"), amounts=("amount",))

    return list_of_days(
        provider, call, "transaction_reversal_list", rows, lambda amount: row_of(foreign(provider, amount), call)
    )


def foreign(provider: Paynet, amount: Decimal) -> RefundRequest:
    """Make up somebody else's request."""
    now = provider.clock.now()
    return RefundRequest(str(provider.next_number()), f"xk_{uuid.uuid4().hex}", now, amount, now)


def row_of(asked: RefundRequest, call: Call) -> dict[str, Any]:
    """Write a row with the names that the page shows."""
    refund = asked.refund.answer if asked.refund else {"xact_id": "", "id": ""}
    row = {
        "id": asked.id,
        "xact_date": f"{datetime.fromtimestamp(asked.made_at, ISTANBUL):%d.%m.%Y}",
        "company_code": "SANDBOX",
        "entry_date": f"{datetime.fromtimestamp(asked.at, ISTANBUL):%d.%m.%Y}",
        "agent_id": "20005",
        "user_id": "",
        "company_name": "Sandbox A.Ş.",
        "agent_name": "Sandbox",
        "xact_id": f"xk_{uuid.uuid4().hex}" if call.new_ids else asked.xact_id,
        "reversed_xact_id": refund["xact_id"],
        "reversed_id": refund["id"],
        "bank_id": "AXSS",
        "bank_name": "",
        "card_no": "435508******4358",
        "card_holder": "GJH",
        "amount": asked.amount,
        "currency": "TRY",
    }
    return row if call.row_form is None else in_form(row, ROW, call.row_form)


LIST_REVERSALS = Operation(
    name="paynet.list_reversals",
    kind="look_up",
    method="POST",
    path="/v1/transaction/reversal_list",
    handle=list_reversals,
    faults=ROW_FAULTS | PAGE_FAULTS | {"unnamed_row", "odd_row", "new_ids"},
)
