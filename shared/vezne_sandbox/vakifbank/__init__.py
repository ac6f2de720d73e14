"""VakıfBank TOS: login, payment (page "TOS İşlemleri Yap") and query (page "TOS İşlemleri Sorgula").

Assumptions, since the pages do not say:
- a login or token refusal is HTTP 401, any other gateway refusal HTTP 400, each with the ``Header`` object alone;
- the fifth wrong secret locks the application (ACBG000006); a right secret before that does not clear the count;
- tokens live 1800 seconds; an unknown or expired one is ACBG000001, any token of a locked application ACBG000002;
- a duplicate InstitutionTransactionCode is HTTP 200 with ``Result`` false and ErrorCode 40 (no list is public);
- the query answers ``Data.Result``: a list of rows with the payment's fields, ``Result``, ``ErrorCode``,
  ``ErrorExplanation``, ``TransactionQueryNo`` and ``TransactionObjectId``; only executed payments; empty when absent;
- a payment is executed and listed at once, unless a seed says ``executes_on_payment_date``: then at 09:00 of its
  ``PaymentDate``, or of the first business day after it (weekends and the seed's ``holidays`` are none);
- every account exists. Card numbers, IBANs and identity numbers are masked in the rows.
"""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from vezne_sandbox.ledger import ISTANBUL, Booking
from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.provider import Operation, Payment, Provider, ReplyFields
from vezne_sandbox.vakifbank.messages import (
    DUPLICATE,
    EXPLANATIONS,
    NO_FUNDS,
    NOT_EMPTY,
    UNKNOWN_INSTITUTION,
    completed,
    gateway_refusal,
    query_result,
)
from vezne_sandbox.wire import (
    Call,
    Malformed,
    Refused,
    Reply,
    boolean,
    integer,
    json_reply,
    known_fields,
    mask,
    masked,
    masked_text,
    positive_number,
    text,
)

OPTIONAL_TEXTS = frozenset(
    {
        "ReceivertAccountIbanNo",
        "ReceiverBankCode",
        "ReceiverBranchCode",
        "ReceiverNameSurname",
        "Explanation",
        "ReceiverAddress",
        "ReceiverTelephone",
        "ReceiverIdentityNo",
        "ReceiverAdministrationTax",
        "ReceiverTaxNo",
        "ReceiverFatherName",
        "ReceiverEmail",
        "InstitutionPackageNo",
        "ComingReturnPaymentDate",
        "ComingReturnTransactionQueryNo",
        "ChiefName",
        "ChiefAccountNo",
        "ChiefIdentityNo",
        "ChiefAdress",
        "ChiefCountryCity",
        "ChiefBirthPlace",
        "ChiefBirthDate",
        "ChiefCustomerNo",
    }
)
PAYMENT_FIELDS = OPTIONAL_TEXTS | {
    "InstitutionCode",
    "TransactionType",
    "TaxIdentityCheck",
    "CreditUse",
    "Amount",
    "CurrencyType",
    "SenderAccountNo",
    "InstitutionTransactionCode",
    "PaymentDate",
}
PERSONAL_FIELDS = frozenset(
    {
        "ReceivertAccountIbanNo",
        "ReceiverIdentityNo",
        "ReceiverTaxNo",
        "ReceiverTelephone",
        "ChiefAccountNo",
        "ChiefIdentityNo",
    }
)
QUERY_TEXTS = frozenset(
    {
        "InstitutionTransactionNo",
        "TransactionQueryNo",
        "InstitutionPackageNo",
        "SenderAccountNo",
        "ReceivertAccountIbanNo",
        "PaymentDate",
        "ReturnDate",
    }
)
NAME, CREDIT_CARD = 2, 3
SATURDAY = 5
TRANSACTION_TYPES = {1, NAME, CREDIT_CARD, 5}
WRONG_SECRETS_UNTIL_LOCK = 5
ROW_FAULTS = frozenset({"unnamed_row", "odd_row", "unfiltered"})
ROW = Names(
    reference="InstitutionTransactionCode",
    amount="Amount",
    currency="CurrencyType",
    signs=("Result", "ErrorCode", "ErrorExplanation"),
    cancelled={"ErrorExplanation": "IPTAL", "Status": "IPTAL"},
    pending={"Result": None, "ErrorCode": 0, "ErrorExplanation": "Beklemede"},
)


class TosPayment(Payment):
    """A payment order. The bank refuses a second one with the same InstitutionTransactionCode."""

    def __init__(self, provider: VakifBank, call: Call, fields: dict[str, Any]) -> None:
        self._provider = provider
        self._fields = fields
        self.booking = Booking(
            provider=provider.name,
            operation=call.operation,
            reference=fields["InstitutionTransactionCode"],
            references={"InstitutionTransactionCode": fields["InstitutionTransactionCode"]},
            amount=Decimal(fields["Amount"]),
            currency=fields["CurrencyType"],
            request=masked(fields, PERSONAL_FIELDS),
        )
        self._ids = provider.next_ids()

    def obstacle(self) -> Reply | None:
        if not self._provider.secrets.accepts("institution_code", self._fields["InstitutionCode"]):
            return self.refuse(str(UNKNOWN_INSTITUTION))
        booked = any(b.reference == self.booking.reference for b in self._provider.ledger.of(self._provider.name))
        if booked or self._provider.scheduled.get(self.booking.reference, self) is not self:
            return self.refuse(str(DUPLICATE))
        return None

    def accept(self) -> float | None:
        if not self._provider.executes_on_payment_date:
            return None
        self._provider.scheduled[self.booking.reference] = self
        return self._provider.execution_of(self._fields["PaymentDate"])

    def record(self) -> None:
        shown = {name: value for name, value in self.booking.request.items() if name != "Amount"}
        shown["InstitutionTransactionCode"] = self.booking.reference
        outcome = {"Result": True, "ErrorCode": 1, "ErrorExplanation": "Tahsil Edildi"}
        self.booking.answer = {**shown, "Amount": self.booking.amount, **outcome, **self._ids}

    def answer(self, fields: ReplyFields) -> Reply:
        return query_result(fields.reference, self._ids, 1, "Tahsil Edildi")

    def refuse(self, code: str | None) -> Reply:
        if code and code.startswith("ACB"):
            return gateway_refusal(code)
        error_code = int(code or NO_FUNDS)
        return query_result(self.booking.reference, {}, error_code, EXPLANATIONS.get(error_code, "İşlem yapılamadı"))

    def odd_refusal(self) -> Reply:
        """``Result`` false beside everything else of a success."""
        return query_result(self.booking.reference, self._ids, 1, "Tahsil Edildi", result=False)

    def other_reference(self) -> str:
        return str(uuid.uuid4())


class VakifBank(Provider):
    """VakıfBank's gateway."""

    name = "vakifbank"
    rotated = "client_secret"
    token_lifetime = 1800

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._wrong_secrets = 0
        self._issued_ids = 0
        self.executes_on_payment_date = False
        self.scheduled: dict[str, TosPayment] = {}
        self._holidays: frozenset[str] = frozenset()

    def operations(self) -> list[Operation]:
        """Serve the login, the payment and the query."""

        def field(name: str) -> Any:
            return lambda call: str(call.json().get(name, ""))

        return [
            Operation("vakifbank.login", "POST", "/auth/oauth/v2/token", self.login, "login"),
            Operation(
                "vakifbank.pay",
                "POST",
                "/tos/payment",
                self.pay,
                "pay",
                field("InstitutionTransactionCode"),
                frozenset({"other_reference", "odd_refusal"}),
                r"ACB[GH]\d{6}|\d+",
                look_up="vakifbank.query",
                shown_for_certain=True,
                paid_once=True,
            ),
            Operation(
                "vakifbank.query",
                "POST",
                "/tos/query",
                self.query,
                "look_up",
                field("InstitutionTransactionNo"),
                ROW_FAULTS,
            ),
        ]

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

    def login(self, call: Call) -> Reply:
        """Answer an access token for ``b2b_credentials``; count wrong secrets, and lock after five."""
        try:
            fields = login_fields(call)
        except Malformed as error:
            return gateway_refusal("ACBG000007", error)
        if not self.secrets.accepts("client_id", fields["client_id"]):
            return self.unauthorized()
        if self._wrong_secrets >= WRONG_SECRETS_UNTIL_LOCK:
            return gateway_refusal("ACBG000006")
        if not self.secrets.accepts("client_secret", fields["client_secret"]):
            self._wrong_secrets += 1
            locked = self._wrong_secrets >= WRONG_SECRETS_UNTIL_LOCK
            return gateway_refusal("ACBG000006" if locked else "ACBG000005", self._wrong_secrets)
        if not self.secrets.accepts("consent_id", fields["consentId"]):
            return self.unauthorized()
        if not self.secrets.accepts("resource", fields["resource"]):
            return self.unauthorized()
        answer = {
            "access_token": self.tokens.issue(),
            "token_type": "Bearer",
            "expires_in": self.tokens.lifetime,
            "scope": "payment",
        }
        return json_reply(answer)

    def pay(self, call: Call) -> Payment | Reply:
        """Check a payment order field by field."""
        self._require_token(call)
        try:
            fields = call.json()
            for name, code in NOT_EMPTY.items():
                if fields.get(name) in (None, ""):
                    return gateway_refusal(code)
            check_payment(fields)
        except Malformed as error:
            return gateway_refusal("ACBG000007", error)
        return TosPayment(self, call, fields)

    def query(self, call: Call) -> Reply:
        """List the executed payments that fit all filters given."""
        self._require_token(call)
        try:
            fields = call.json()
            filters = query_filters(fields)
        except Malformed as error:
            return gateway_refusal("ACBG000007", error)
        if not fields.get("InstitutionCode"):
            return gateway_refusal("ACBH000645")
        rows = [
            booking.answer
            for booking in self.ledger.of(self.name, hidden_seconds=call.hidden_seconds)
            if call.unfiltered or all(booking.answer.get(name) == value for name, value in filters.items())
        ]
        if call.row_form is not None:
            rows = [in_form(row, ROW, call.row_form) for row in rows]
        if call.foreign_amount is not None:
            rows.insert(0, self._foreign_row(fields["InstitutionCode"], call.foreign_amount))
        return completed({"Result": rows})

    def seed(self, values: dict[str, Any]) -> None:
        """Take ``wrong_secrets`` (count), ``executes_on_payment_date``, and ``holidays``: dates as ``2026-12-28``."""
        values = dict(values)
        self.executes_on_payment_date = bool(values.pop("executes_on_payment_date", self.executes_on_payment_date))
        self._holidays = frozenset(values.pop("holidays", self._holidays))
        self._wrong_secrets = int(values.pop("wrong_secrets", self._wrong_secrets))
        super().seed(values)

    def execution_of(self, payment_date: str) -> float:
        """Tell when a payment of this date is executed, in seconds since 1970."""
        day = date.fromisoformat(payment_date[:10])
        while day.weekday() >= SATURDAY or day.isoformat() in self._holidays:
            day += timedelta(days=1)
        return datetime.combine(day, time(9), ISTANBUL).timestamp()

    def state(self) -> dict[str, Any]:
        """Tell how often a wrong client secret came, and whether that locked the application."""
        return {
            "wrong_secrets": self._wrong_secrets,
            "locked": self._wrong_secrets >= WRONG_SECRETS_UNTIL_LOCK,
        }

    def _require_token(self, call: Call) -> None:
        if self._wrong_secrets >= WRONG_SECRETS_UNTIL_LOCK:
            raise Refused(gateway_refusal("ACBG000002"))
        if not self.tokens.accepts(call.headers.get("Authorization")):
            raise Refused(self.unauthorized())

    def _foreign_row(self, institution_code: str, amount: Decimal) -> dict[str, Any]:
        texts = dict.fromkeys(sorted(OPTIONAL_TEXTS), "")
        return {
            **texts,
            "InstitutionCode": institution_code,
            "TransactionType": 1,
            "TaxIdentityCheck": True,
            "CreditUse": False,
            "Amount": amount,
            "CurrencyType": "TL",
            "SenderAccountNo": "0",
            "InstitutionTransactionCode": str(uuid.uuid4()),
            "PaymentDate": f"{self.clock.istanbul():%Y-%m-%d}T00:00:00",
            "Result": True,
            "ErrorCode": 1,
            "ErrorExplanation": "Tahsil Edildi",
            **self.next_ids(),
        }


def login_fields(call: Call) -> dict[str, str]:
    """Read and check the form of the token call."""
    names = {"client_id", "client_secret", "grant_type", "scope", "consentId", "resource"}
    pairs = call.form()
    fields = dict(pairs)
    if len(fields) != len(pairs) or set(fields) != names:
        raise Malformed(f"the fields must be {', '.join(sorted(names))}")
    if fields["grant_type"] != "b2b_credentials":
        raise Malformed("grant_type must be b2b_credentials")
    if fields["scope"] != "payment":
        raise Malformed("scope must be payment")
    return fields


def check_payment(fields: dict[str, Any]) -> None:
    """Check types and conditional rules of the payment page."""
    known_fields(fields, PAYMENT_FIELDS)
    for name in (*NOT_EMPTY, "SenderAccountNo", "PaymentDate"):
        text(fields, name)
    for name in OPTIONAL_TEXTS & set(fields):
        text(fields, name, empty=True)
    boolean(fields, "TaxIdentityCheck")
    boolean(fields, "CreditUse")
    positive_number(fields, "Amount")
    if not re.fullmatch(r"TL|(?!TRY)[A-Z]{3}", fields["CurrencyType"]):
        raise Malformed("CurrencyType must be TL or a foreign currency's code")
    check_date_time(fields, "PaymentDate")
    check_receiver(integer(fields, "TransactionType"), fields)


def check_receiver(transaction_type: int, fields: dict[str, Any]) -> None:
    """Check what depends on TransactionType: a card number for 3, a name and no account for 2, an account for 1."""
    account = fields.get("ReceivertAccountIbanNo", "")
    if transaction_type not in TRANSACTION_TYPES:
        raise Malformed("TransactionType must be 1, 2, 3 or 5")
    if transaction_type == NAME and account:
        raise Malformed("ReceivertAccountIbanNo must be empty for TransactionType 2")
    if transaction_type == NAME and not fields.get("ReceiverNameSurname"):
        raise Malformed("ReceiverNameSurname must be filled for TransactionType 2")
    if transaction_type == CREDIT_CARD and not is_card_number(account):
        raise Malformed("ReceivertAccountIbanNo must be a card number for TransactionType 3")
    if transaction_type == 1 and not account:
        raise Malformed("ReceivertAccountIbanNo must be filled for TransactionType 1")


def is_card_number(value: str) -> bool:
    """Check 13 to 19 digits with Luhn's check digit."""
    if not re.fullmatch(r"[0-9]{13,19}", value):
        return False
    doubled = [int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(value))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def check_date_time(fields: dict[str, Any], name: str) -> None:
    """Check ``yyyy-MM-ddTHH:mm:ss`` without an offset."""
    try:
        datetime.strptime(fields[name], "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - the page's dates carry no offset
    except ValueError as error:
        raise Malformed(f"{name} must be yyyy-MM-ddTHH:mm:ss") from error


def query_filters(fields: dict[str, Any]) -> dict[str, Any]:
    """Read the query's optional filters as fields of a row. Accounts are compared in their masked form."""
    known_fields(fields, QUERY_TEXTS | {"InstitutionCode", "TransactionType"})
    texts = {name: text(fields, name, empty=True) for name in QUERY_TEXTS & set(fields)}
    filters: dict[str, Any] = {name: value for name, value in texts.items() if value}
    if "InstitutionTransactionNo" in filters:
        filters["InstitutionTransactionCode"] = filters.pop("InstitutionTransactionNo")
    if "ReturnDate" in filters:
        filters["ComingReturnPaymentDate"] = filters.pop("ReturnDate")
    if "ReceivertAccountIbanNo" in filters:
        filters["ReceivertAccountIbanNo"] = mask(filters["ReceivertAccountIbanNo"])
    if "SenderAccountNo" in filters:
        filters["SenderAccountNo"] = masked_text(filters["SenderAccountNo"])
    if "TransactionType" in fields:
        return {**filters, "TransactionType": integer(fields, "TransactionType")}
    return filters
