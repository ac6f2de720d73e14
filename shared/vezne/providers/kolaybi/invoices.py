"""KolayBi's invoices: what the answer to a collection proves, and what is left of an invoice (/docs/invoices)."""

import re
from decimal import Decimal
from typing import Any

from vezne.orders.evidence import absent_or, is_amount, plain_number
from vezne.orders.outcome import Finding, Inconclusive
from vezne.providers.http import Deadline
from vezne.providers.kolaybi.client import invoice, is_completed, success_data

_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)
_NEEDED = ("transaction_status", "remaining_amount", "currency")


def collected(body: dict[str, Any], amount: Decimal | None) -> dict[str, Any] | None:
    """The `data` of an answer that says that this amount was collected, or without one all that was left; else None.

    The answer names neither the invoice nor the amount. It tells what is left of the invoice, and in which currency.
    """
    data = success_data(body, _NEEDED)
    if data is None or not is_completed(data) or not _CURRENCY.fullmatch(str(data["currency"])):
        return None
    left = plain_number(data["remaining_amount"])
    fits = absent_or(data.get("amount"), lambda told: is_amount(told, amount) if amount else _is_above_zero(told))
    # "Gönderilmezse kalan tüm tutar tahsil edilir" (without an amount, all that is left is collected).
    return data if fits and left is not None and (left >= 0 if amount else left == 0) else None


def look_up(document_id: str, deadline: Deadline) -> Finding:
    """What is left of the invoice now: a hint for people, and never proof.

    What was left before is not known, no list bears a mark of ours, and people may collect at the same time.
    """
    data = invoice(document_id, deadline).get("data")
    left = plain_number(data.get("remaining_amount")) if isinstance(data, dict) else None
    return Inconclusive(
        "the invoice does not tell who collected", seen={} if left is None else {"remaining_amount": left}
    )


def _is_above_zero(value: object) -> bool:
    number = plain_number(value)
    return number is not None and number > 0
