"""VakıfBank TOS: login, payment (page "TOS İşlemleri Yap") and query (page "TOS İşlemleri Sorgula").

The titles mean: make payments by instruction; query them.

Assumptions, since the pages do not say:
- a login or token refusal is HTTP 401, any other gateway refusal HTTP 400, each with only the ``Header`` object;
- the fifth wrong secret locks the application (ACBG000006); a right secret before that does not clear the count;
- tokens live 1800 seconds; an unknown or expired one is ACBG000001, any token of a locked application ACBG000002;
- a duplicate InstitutionTransactionCode is HTTP 200 with ``Result`` false and ErrorCode 40 (the codes are not public);
- the query answers ``Data.Result``: a list of rows with the payment's fields, ``Result``, ``ErrorCode``,
  ``ErrorExplanation``, ``TransactionQueryNo`` and ``TransactionObjectId``. Only executed payments are listed;
- a query by ``PaymentDate`` lists the payments executed on that day. It has at most 100 rows, and does not say that it
  is cut. A day without payments is ACBH000202, unless a number of the payments is asked for, too;
- a payment is executed and listed at once, unless a seed says ``executes_on_payment_date``. Then it is at 09:00 of its
  ``PaymentDate``, or of the next business day (not a weekend, nor one of the seed's ``holidays``), and its row has that
  day as ``PaymentDate``;
- every account exists. Card numbers, IBANs and identity numbers are masked in the rows.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from vezne_sandbox.ledger import ISTANBUL
from vezne_sandbox.provider import Payment, Provider
from vezne_sandbox.vakifbank.messages import gateway_refusal
from vezne_sandbox.wire import Call, Refused, Reply

MOST_ROWS = 100

SATURDAY = 5
WRONG_SECRETS_UNTIL_LOCK = 5


class VakifBank(Provider):
    """VakıfBank's gateway."""

    name = "vakifbank"
    rotated = "client_secret"
    token_lifetime = 1800

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.wrong_secrets = 0
        self._issued_ids = 0
        self.executes_on_payment_date = False
        self.scheduled: dict[str, Payment] = {}
        self._holidays: frozenset[str] = frozenset()
        self.most_rows = MOST_ROWS

    @property
    def locked(self) -> bool:
        """Whether so many wrong secrets came that the bank locked the application."""
        return self.wrong_secrets >= WRONG_SECRETS_UNTIL_LOCK

    def unauthorized(self) -> Reply:
        """Refuse the token."""
        return gateway_refusal("ACBG000001")

    def too_many_requests(self) -> Reply:
        """Refuse for the plan's limit."""
        return gateway_refusal("ACBG000004")

    def next_ids(self) -> dict[str, str]:
        """Make the ids of a payment, in the sample's form."""
        self._issued_ids += 1
        return {
            "TransactionObjectId": f"{self.clock.istanbul():%Y}{39254816 + self._issued_ids:012d}",
            "TransactionQueryNo": str(7425300 + self._issued_ids),
        }

    def seed(self, values: dict[str, Any]) -> None:
        """Take ``wrong_secrets`` (count), ``executes_on_payment_date``, and ``holidays``: dates as ``2026-12-28``.

        ``most_rows``: how many payments of a day the query lists at most.
        """
        values = dict(values)
        self.executes_on_payment_date = bool(values.pop("executes_on_payment_date", self.executes_on_payment_date))
        self._holidays = frozenset(values.pop("holidays", self._holidays))
        self.wrong_secrets = int(values.pop("wrong_secrets", self.wrong_secrets))
        self.most_rows = int(values.pop("most_rows", self.most_rows))
        super().seed(values)

    def execution_of(self, payment_date: str) -> float:
        """Tell when a payment of this date is executed, in seconds since 1970."""
        day = date.fromisoformat(payment_date[:10])
        while day.weekday() >= SATURDAY or day.isoformat() in self._holidays:
            day += timedelta(days=1)
        return datetime.combine(day, time(9), ISTANBUL).timestamp()

    def state(self) -> dict[str, Any]:
        """Tell how often a wrong client secret came, and whether that locked the application."""
        return {"wrong_secrets": self.wrong_secrets, "locked": self.locked}

    def require_token(self, call: Call) -> None:
        """Refuse a call whose token is unknown or expired, and every call of a locked application."""
        if self.locked:
            raise Refused(gateway_refusal("ACBG000002"))
        if not self.tokens.accepts(call.headers.get("Authorization")):
            raise Refused(self.unauthorized())
