"""The faults: what ``then`` of a rule can be, with one line each. The manual and the README are made from these tables.

A name in backquotes is a field of the rule; the value in brackets after it is its default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vezne_sandbox.provider import Operation

EVERY_OPERATION = {
    "answer": "the provider's own answer; with `book` false, a success that never happened",
    "hang": "no answer: the connection stays open until the caller closes it, for 120 s at most",
    "reset": "a TCP reset instead of an answer",
    "cut": "the head and half of the body, then the connection is closed",
    "slow_drops": "a byte every `every_seconds` (0.5), never the last; `drip`: `body` (default) or `headers`",
    "status_500": "HTTP 500 with a JSON message",
    "bad_gateway_html": "HTTP 502 with a page of HTML",
    "trailing_comma": "broken JSON: a comma before the last brace",
    "informational": "an informational `status` (103) at once, the answer after `every_seconds` (0.5)",
    "informational_only": "an informational `status` (103) at once, then no answer, as with `hang`",
    "unauthorized": "the provider's refusal of a token or key: HTTP 401; HASO: `Success` false",
    "too_many_requests": "HTTP 429 with `Retry-After`: `retry_after` (1)",
}
LOGINS = {
    "html": "HTTP `status` (403) with a page of HTML: a proxy refused, not the provider",
}
PAYMENTS = {
    "refuse": "the provider's business refusal; `code` chooses a documented one (KolayBi: the HTTP status; "
    "VakıfBank: `ACB...` or ErrorCode; walletgate: `300`, `311` ...; HASO: the text; Paynet: result_code)",
    "gateway_json": "HTTP 403 with a JSON message, as any gateway writes it",
}
LOOK_UPS = {
    "fail": "HTTP 500 with a JSON message",
    "lag": "bookings younger than `seconds` (60) are not shown",
    "foreign": "somebody else's payment comes first; `amount` (as the provider's latest order). "
    "HASO: the amount is on the first instalment, not on the last",
}
SOME_OPERATIONS = {
    "other_amount": "a success with another amount: `amount` (0.01 more)",
    "other_reference": "a success with another reference or id",
    "odd_refusal": "an answer that looks like a refusal, but is none by the page. VakıfBank: `Result` false with the "
    "text of a success; walletgate: HTTP 400 without a code; KolayBi and HASO: a refusal with the data of a success; "
    "Paynet: a result_code that no page lists",
    "unnamed_row": "the rows name the payment in `form`: missing (default), other_name, other_case, padded, "
    "without_hyphens, empty, null",
    "odd_row": "the rows are in `form`: no_sign of success (default), cancelled, pending, other_currency, negative",
    "unfiltered": "every payment is listed, whatever reference is asked for",
    "cut_text": "the rows' descriptions are cut to 40 characters",
    "clock_ahead": "the dates of the rows are `seconds` (60) ahead",
    "new_ids": "each answer has other encrypted ids",
    "letters": "the types of the rows are letters, not numbers",
    "last_second": "the rows of the list are of 23:59:59 of their day in Türkiye",
    "twice": "the last row comes twice, with the same reference and other ids",
    "taken_back": "behind the last row comes one that says that its payment was taken back, with other ids. "
    "Without the original: `odd_row` with the `form` cancelled",
    "text_amounts": "the amounts of the rows are texts",
    "small_pages": "a page has at most `rows` (2) rows, whatever is asked for",
    "endless": "the list never ends: each page says that there is more, and the last one comes again and again",
    "cut_list": "the list ends after `rows` (100) rows, without a sign",
}
"""Only operations that name them in their ``faults`` have these."""
OF_KIND = {
    "login": EVERY_OPERATION | LOGINS,
    "pay": EVERY_OPERATION | PAYMENTS,
    "look_up": EVERY_OPERATION | LOOK_UPS,
}


def faults_of(operation: Operation) -> frozenset[str]:
    """List what ``then`` may be for an operation."""
    return frozenset(OF_KIND[operation.kind]) | operation.faults


def described(operations: Iterable[Operation]) -> Iterator[tuple[str, str, str]]:
    """Describe each fault: its name, the operations that have it, and what the caller gets."""
    names = {fault: [each.name for each in operations if fault in each.faults] for fault in SOME_OPERATIONS}
    groups = {"every operation": EVERY_OPERATION, "logins": LOGINS, "payments": PAYMENTS, "look-ups": LOOK_UPS}
    for where, faults in groups.items():
        yield from ((name, where, text) for name, text in faults.items())
    yield from ((name, ", ".join(names[name]), text) for name, text in SOME_OPERATIONS.items())
