"""The manual that the server shows at ``GET /``: lines to try, addresses, control, rules, faults and assumptions."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING

from vezne_sandbox.faults import described

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vezne_sandbox.provider import Operation, Provider

# {url} stands for the address at which the reader reached the server.
_LINES = """\
# is it up, and what can it do?
curl -s {url}/_control/health
curl -s {url}/_control/operations

# book the next capture, and lose its answer
curl -s {url}/_control/rules -d '{{"operation": "paynet.capture", "then": "reset"}}'

# list the rules, and remove all of them
curl -s {url}/_control/rules
curl -s -X DELETE {url}/_control/rules

# tell a provider of a pre-authorisation; list the money that moved, the calls that arrived, and what else is kept
curl -s {url}/_control/seed -d '{{"paynet": {{"pre_authorisations": [{{"reference_no": "R-1", "amount": "10.00"}}]}}}}'
curl -s '{url}/_control/bookings?provider=paynet'
curl -s '{url}/_control/calls?operation=paynet.capture'
curl -s {url}/_control/state

# let an hour pass, refuse all old tokens, forget everything
curl -s {url}/_control/clock -d '{{"advance_seconds": 3600}}'
curl -s {url}/_control/tokens/revoke -d '{{"provider": "vakifbank"}}'
curl -s -X POST {url}/_control/reset
"""

_CONTROL = """\
Control (JSON; a refused call is HTTP 400 with {"error": text})
  GET    /_control/health         the server is ready
  GET    /_control/operations     every operation with its kind and the faults it can have
  GET    /_control/bookings       the money that moved, oldest first; ?provider= ?reference=
  GET    /_control/calls          every call of a provider: operation, reference, at, outcome, status, booked, rule;
                                  ?operation=
  GET    /_control/state          HASO: totals and their history; Paynet: what is left of each pre-authorisation;
                                  VakıfBank: the count of wrong secrets; how many late bookings are waiting
  GET    /_control/rules          the rules, each with `calls` (counted) and `hits` (applied)
  POST   /_control/rules          set a rule, see below
  DELETE /_control/rules          remove all rules, or the one of ?id=
  POST   /_control/reset          forget everything but the issued tokens: bookings, calls, rules, seeds, clock
  POST   /_control/tokens/revoke  {"provider": name}, or {} for all: a call with an old token gets 401
  POST   /_control/clock          {"advance_seconds": s}: tokens expire, late bookings fall due, bookings age.
                                  Use it instead of sleeping.
  POST   /_control/seed           {provider: {name: value}}: what a provider knows. Names:
    any provider   credentials {field: new value, or a list of accepted values}; token_lifetime (seconds)
    vakifbank      wrong_secrets (count); executes_on_payment_date (true: a payment is executed at 09:00 of its
                   PaymentDate or the next business day, not at once); holidays ["2026-12-28", ...]
    walletgate     balance; bills [{product_oid, subscriber_no, bill_term, bill_no, invoice_amount,
                   partial_payment_allowed, oid}]
    haso           instalments {transaction code: [amount, ...]}
    paynet         pre_authorisations [{xact_id, xact, reference_no, amount}]

Rules
  A rule counts the calls of its operation from when it is set, refused ones too. Of several rules the first that
  applies decides. The payment is booked before the fault happens. No other call comes between check and booking.
    operation    which operation
    then         which fault, see below (default "answer")
    nth, times   from the nth call (1), for so many calls (1; 0 means always)
    match        only calls that have this value, or have it as a whole word within a value
    rows         for a fault of a list: how many rows
    book         true, false, or {"after_seconds": s}. Default true; false for unauthorized, too_many_requests and
                 refuse. A late booking that the provider would refuse by then (a double) is dropped.
"""


def manual(url: str, operations: Iterable[Operation], providers: Iterable[type[Provider]]) -> str:
    """The manual as plain text, for a server at this address."""
    operations = list(operations)
    addresses = "\n".join(f"  {it.name:32}{it.method:5}{it.path}" for it in operations)
    faults = "\n".join(_fault(*each) for each in described(operations))
    assumed = "\n\n".join(textwrap.indent(_docstring(each), "  ") for each in providers)
    return (
        f"The sandboxes of five payment providers. Nothing here is real money. Every provider's address is {url}\n"
        f"\nLines to try:\n\n{_LINES.format(url=url)}\nAddresses of the providers:\n{addresses}\n\n{_CONTROL}\n"
        "Faults: what `then` of a rule can be. In brackets: the default of a field of the rule.\n"
        f"{faults}\n\nWhat the sandboxes assume:\n\n{assumed}\n"
    )


def _fault(name: str, where: str, text: str) -> str:
    return textwrap.fill(f"  {name:20}{text} [{where}]", 118, subsequent_indent=" " * 22)


def _docstring(provider: type[Provider]) -> str:
    """The docstring of a provider's folder, which lists its assumptions."""
    return inspect.getdoc(inspect.getmodule(provider)) or ""
