"""Paynet v1/transaction/check and v1/transaction/detail, its lists by day, and what a row says for certain."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from vezne.orders.evidence import (
    Match,
    absent_or,
    is_one_of,
    match_key,
    plain_number,
    plain_text,
    refusal_code,
    says_nothing,
    speaks_for,
    tells_of_more,
)
from vezne.platform.signing import basic_secret_key
from vezne.providers.client import Client, InquiryLoginRefusedError, InquiryRefusedError, InquiryUnreadableError, ask
from vezne.providers.credentials import CredentialCache, CredentialsRefusedError, PaynetCredentials, RequestCredentials
from vezne.providers.http import Deadline, NotSentError, Provider, UnreadableError, json_request

SUCCESSFUL = "0"
# "transaction_type ... 4: Finansallaştırma" (4: capture). In the table of types its letters are CR.
CAPTURE_TYPES = frozenset({"4", "CR"})
SALE_TYPES = frozenset({"1", "S"})
REVERSAL_TYPES = frozenset({"6", "RC"})
PREAUTHORISATION_TYPES = frozenset({"3", "PR"})
PREAUTHORISATION_REVERSAL_TYPES = frozenset({"5", "RP"})
# Sale, reversal, pre-authorisation, its reversal, a capture's reversal, query, credit and points, in both forms.
OTHER_TYPES = frozenset(["1", "2", "3", "5", "6", "7", "9", "10", "11", "S", "R", "PR", "RP", "RC", "CD", "PI", "PK"])
# Result codes (/genel-bilgiler/hata-kodlari) whose names say that the call was not carried out. Other codes may come
# with a capture that was made (duplicatedata, servererror, timeout, oldsuccessful). Or they say nothing about it
# (unsuccessful), or belong to other services.
REFUSALS = frozenset(["2", "3", "4", "6", "7", "9", "11", "12", "18", "19", "20", "21"])
UNSUCCESSFUL = "1"
_ERROR_TYPES = frozenset(
    {"api_error", "invalid_request_error", "authorization_error", "authentication_error", "no_data_error"}
)
_ERROR_FIELDS = (
    *("paynet_error_id", "paynet_error_message", "bank_error_id", "bank_error_message"),
    *("bank_error_short_desc", "bank_error_long_desc", "reversed_xact_id", "type"),
)

# The lists by day state no maximum; a public client asks for so many rows.
PAGE = 1000

PROVIDER = Provider("PAYNET_URL")


def _try_by_reading(credentials: PaynetCredentials, deadline: Deadline) -> None:
    """Try a key by reading a transaction that cannot exist. HTTP 401 and 403 refuse the key."""
    fields = {"xact_id": "vezne-verify"}
    request = json_request("/v1/transaction/check", fields, headers(RequestCredentials(credentials, "", "")))
    answer = PROVIDER.send(PROVIDER.prepare(request), deadline)
    if answer.status in (401, 403):
        raise CredentialsRefusedError(f"http-{answer.status}")
    if answer.status >= 500 or answer.status == 429:
        raise NotSentError(f"http-{answer.status}")


def _probe(deadline: Deadline) -> None:
    """Read a transaction that cannot exist. Being told so is an answer, too."""
    transaction_rows({"xact_id": "vezne-probe"}, deadline)


CLIENT = Client(PROVIDER, CredentialCache(PaynetCredentials), try_by_reading=_try_by_reading, probe=_probe)


def headers(access: RequestCredentials[PaynetCredentials]) -> dict[str, str]:
    """`Authorization: Basic <secret_key>`, and the content type that the provider's pages show."""
    return {
        "Authorization": basic_secret_key(access.credentials.secret_key.get_secret_value()),
        "Content-Type": "application/json; charset=UTF-8",
    }


def error_code(status: int, body: dict[str, Any]) -> str | None:
    """The result code of Paynet's Error object that refuses for certain; None if the answer is not one.

    "{type, message, code, result_code}", where `code` is the HTTP status.
    """
    text = body.get("message")
    is_error = is_one_of(body.get("type"), _ERROR_TYPES) and is_one_of(body.get("code"), {str(status)})
    signs_of_success = (
        not absent_or(body.get("is_succeed"), lambda value: value is False),
        not says_nothing(body.get("authorization_code")),
        speaks_for(text),
    )
    return refusal_code(
        body.get("result_code"), REFUSALS, refuses=is_error and isinstance(text, str), signs_of_success=signs_of_success
    )


def is_refused(body: dict[str, Any], types: frozenset[str]) -> bool:
    """Whether an answer with `is_succeed` false refuses for certain: "Banka onay vermemiş ise" (if not approved)."""
    reasons = (plain_text(body.get(name)) for name in ("bank_error_id", "paynet_error_id"))
    # Code 0 is "successful". With it, only an error number says that the bank refused.
    codes = (
        REFUSALS | {UNSUCCESSFUL} | ({SUCCESSFUL} if any(reason and reason.strip() for reason in reasons) else set())
    )
    code = refusal_code(
        body.get("code"),
        codes,
        refuses=absent_or(body.get("transaction_type"), lambda value: is_one_of(value, types)),
        signs_of_success=(
            not says_nothing(body.get("authorization_code")),
            not absent_or(body.get("result_code"), lambda value: is_one_of(value, REFUSALS | {UNSUCCESSFUL})),
        ),
    )
    return body.get("is_succeed") is False and code is not None


def fits(fields: dict[str, Any], types: frozenset[str], amounts: tuple[Decimal, ...] | None) -> bool:
    """Whether every type and amount in a successful answer or a row is one of these. None: any."""

    def is_ours(value: object) -> bool:
        number = plain_number(value)
        return number is not None and number >= 0 and (amounts is None or number in amounts)

    fitting = {
        "transaction_type": lambda value: is_one_of(value, types),
        "amount": is_ours,
        "currency": lambda value: value == "TRY",
        "reversed": lambda value: value is False,
        **dict.fromkeys(("code", "result_code"), lambda value: is_one_of(value, {SUCCESSFUL})),
    }
    said = all(absent_or(fields.get(name), fit) for name, fit in fitting.items())
    return said and all(says_nothing(fields.get(name)) for name in _ERROR_FIELDS)


def made_at(row: dict[str, Any]) -> float | None:
    """When a row was made, in seconds since 1970, from `2016-04-08T10:27:22.0296925+03:00`; None for another form."""
    try:
        stamp = datetime.fromisoformat(row["xact_date"])
    except (KeyError, TypeError, ValueError):
        return None
    return stamp.timestamp() if stamp.tzinfo else None


def check(reference: dict[str, str], deadline: Deadline) -> list[dict[str, Any]]:
    """Every row of a transaction, as it came.

    Raises InquiryFailedError, also if it is not certain which rows are of the transaction, or whether rows are missing.
    """
    body, rows = _listed(reference, deadline)
    whole = (
        absent_or(body.get("code"), lambda code: is_one_of(code, {SUCCESSFUL})) and not {"Data", "data"} <= body.keys()
    )
    beside = {name: value for name, value in body.items() if name not in ("Data", "data")}
    if not whole or not all(isinstance(row, dict) for row in rows) or tells_of_more(beside, len(rows)):
        raise InquiryUnreadableError("unreadable")
    return _of_one_transaction(rows, reference)


def transaction_rows(reference: dict[str, str], deadline: Deadline) -> list[Any]:
    """`Data[]` as it came. `check` takes xact_id or reference_no; only `detail` takes the plain `xact`.

    Raises InquiryFailedError.
    """
    return _listed(reference, deadline)[1]


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list by day, as it came. `following`: the index of the next page, or None after the last.

    `whole`: it is certain that no row of these days is missing after the last page.
    """

    rows: list[Any]
    following: int | None
    whole: bool


def list_page(service: str, days: tuple[date, date], start: int, deadline: Deadline, **options: Any) -> ListPage:
    """The rows of a list from an index on, between two days. Raises InquiryFailedError."""
    fields = {"datab": f"{days[0]}", "datbi": f"{days[1]}", **options, "limit": PAGE, "starting_after": start}
    answer = ask(CLIENT, deadline, lambda access: json_request(f"/v1/transaction/{service}", fields, headers(access)))
    if answer.status == 403:
        raise InquiryLoginRefusedError(f"http-{answer.status}")
    try:
        body = answer.json()
    except UnreadableError:
        body = {}
    if answer.status != 200 or not body:
        raise InquiryUnreadableError(f"http-{answer.status}")
    rows, more = body.get("Data", body.get("data")), body.get("has_more")
    if str(body.get("code", SUCCESSFUL)) != SUCCESSFUL or not isinstance(rows, list) or {"Data", "data"} <= body.keys():
        raise InquiryUnreadableError("no list")
    following = start + len(rows)
    cut = more is False and _total(body) > following
    return ListPage(rows, following if more is True else None, whole=isinstance(more, bool) and not cut)


def _total(body: dict[str, Any]) -> int:
    """How many rows the list says it has, on all its pages; 0 if it does not say it."""
    text = (plain_text(body.get("total_count")) or "").strip()
    return int(text) if text.isdecimal() else 0


def _listed(reference: dict[str, str], deadline: Deadline) -> tuple[dict[str, Any], list[Any]]:
    service = "detail" if set(reference) == {"xact"} else "check"
    fields = {name: value for name, value in reference.items() if service == "detail" or name != "xact"}
    answer = ask(CLIENT, deadline, lambda access: json_request(f"/v1/transaction/{service}", fields, headers(access)))
    try:
        body = answer.json()
    except UnreadableError:
        raise InquiryUnreadableError("unreadable") from None
    rows: Any = body.get("Data", body.get("data"))
    if answer.status == 200 and isinstance(rows, list):
        return body, rows
    reason = "no rows" if answer.status == 200 else f"http-{answer.status}"
    if answer.status == 403:
        raise InquiryLoginRefusedError(reason)
    code = body.get("result_code", body.get("code") if answer.status == 200 else None)
    if code is None or str(code) == SUCCESSFUL:
        raise InquiryUnreadableError(reason)
    raise InquiryRefusedError(reason, str(code), str(body.get("message", "")))


def _of_one_transaction(rows: list[dict[str, Any]], reference: dict[str, str]) -> list[dict[str, Any]]:
    """The rows that share the reference ("agent_reference") of the transaction we asked for, and those without one.

    Raises InquiryUnreadableError.
    """
    asked = {("xact_id", "xact_id"), ("xact", "id"), ("reference_no", "agent_reference")}
    named = [
        row
        for row in rows
        if any(name in reference and plain_text(row.get(field)) == reference[name] for name, field in asked)
    ]
    shown = [row.get("agent_reference") for row in named or rows]
    shared = {plain_text(one) for one in shown if not says_nothing(one)}
    if None in shared or len(shared) > 1:
        raise InquiryUnreadableError("rows of several transactions")
    kept = []
    for row in rows:
        own = row.get("agent_reference")
        match = Match.OURS if not shared or says_nothing(own) else match_key(str(*shared), own)
        if match is Match.UNCLEAR:
            raise InquiryUnreadableError("a row that may be the transaction's")
        kept += [row] if match is Match.OURS else []
    return kept
