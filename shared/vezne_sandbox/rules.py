"""Rules: which call of which operation gets a fault, and which one."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.faults import faults_of
from vezne_sandbox.odd import ODD_FORMS, UNNAMED_FORMS

if TYPE_CHECKING:
    from vezne_sandbox.provider import Operation
    from vezne_sandbox.wire import Call

FORMS = {"unnamed_row": UNNAMED_FORMS, "odd_row": ODD_FORMS}
REFUSALS_WITHOUT_BOOKING = frozenset({"unauthorized", "too_many_requests", "refuse"})


class BadRule(Exception):
    """A rule that could never apply as it is written."""


@dataclass
class Rule:
    """A rule as posted; the manual (``manual.py``) explains each field."""

    operation: str
    then: str = "answer"
    nth: int = 1
    times: int = 1
    match: str | None = None
    book: bool | dict[str, float] | None = None
    seconds: float = 60
    amount: str | None = None
    code: str | None = None
    drip: str = "body"
    every_seconds: float = 0.5
    retry_after: int = 1
    status: int = 103
    form: str | None = None
    rows: int | None = None
    id: int = field(default=0, init=False)
    calls: int = field(default=0, init=False)
    """Calls seen since the rule was set, of its operation and with its reference."""
    hits: int = field(default=0, init=False)

    def concerns(self, call: Call) -> bool:
        """Count the call if operation and ``match`` fit, and return whether the rule applies to it."""
        if self.operation != call.operation or (self.match and not call.carries(self.match)):
            return False
        self.calls += 1
        return self.calls >= self.nth and (self.times == 0 or self.calls < self.nth + self.times)

    def row_form(self) -> str | None:
        """Return the form in which a look-up writes its rows; None is that of the page."""
        return (self.form or FORMS[self.then][0]) if self.then in FORMS else None

    def books(self) -> bool:
        """Tell whether the payment is booked now."""
        return self.then not in REFUSALS_WITHOUT_BOOKING if self.book is None else self.book is True

    def books_after(self) -> float | None:
        """Return after how many seconds the payment is booked, if late."""
        return float(self.book["after_seconds"]) if isinstance(self.book, dict) else None

    def other_amount(self, amount: Decimal) -> Decimal:
        """Return the amount to answer with instead."""
        return Decimal(self.amount) if self.amount is not None else amount + Decimal("0.01")

    def as_json(self) -> dict[str, Any]:
        """Describe the rule for the control API."""
        return asdict(self)


def read_rule(values: dict[str, Any], operations: dict[str, Operation]) -> Rule:
    """Check a posted rule. Raises BadRule for a name or a value that would have no effect."""
    try:
        rule = Rule(**values)
    except TypeError as error:
        raise BadRule(str(error)) from error
    if rule.operation not in operations:
        raise BadRule(f"no operation {rule.operation!r}; there are {', '.join(sorted(operations))}")
    operation = operations[rule.operation]
    complaint = _complaint(rule, operation)
    if complaint:
        raise BadRule(complaint)
    return rule


def _complaint(rule: Rule, operation: Operation) -> str | None:
    faults = faults_of(operation)
    late = rule.book if isinstance(rule.book, dict) else {"after_seconds": 0}
    complaints = {
        f"{rule.operation} cannot {rule.then!r}, but {', '.join(sorted(faults))}": rule.then not in faults,
        f"{rule.operation} books nothing": rule.book is not None and operation.kind != "pay",
        'book is true, false or {"after_seconds": number}': set(late) != {"after_seconds"},
        "nth counts from 1, times from 0 (always)": rule.nth < 1 or rule.times < 0,
        "drip is body or headers": rule.drip not in {"body", "headers"},
        "status is informational, 100 to 199, or, with html, 400 to 499": rule.status
        not in (range(400, 500) if rule.then == "html" and rule.status != Rule.status else range(100, 200)),
        f"code must fit {operation.code_pattern}": not _fits(operation.code_pattern, rule.code),
        f"form must be one of {', '.join(FORMS.get(rule.then, ()))}": rule.form
        not in (None, *FORMS.get(rule.then, ())),
        "rows counts from 1": rule.rows is not None and rule.rows < 1,
        "amount is a decimal string": not _fits(r"\d+(\.\d+)?", rule.amount),
    }
    return next((complaint for complaint, holds in complaints.items() if holds), None)


def _fits(pattern: str, value: str | None) -> bool:
    return value is None or re.fullmatch(pattern, value) is not None


class Rules:
    """The rules set, in their order."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._set = 0

    def add(self, rule: Rule) -> Rule:
        """Set a rule and give it its id."""
        self._set += 1
        rule.id = self._set
        self._rules.append(rule)
        return rule

    def remove(self, rule_id: int | None = None) -> int:
        """Remove one rule, or all; return how many were removed."""
        before = len(self._rules)
        self._rules = [rule for rule in self._rules if rule_id not in (None, rule.id)]
        return before - len(self._rules)

    def all(self) -> list[Rule]:
        """List the rules."""
        return self._rules

    def take(self, call: Call) -> Rule | None:
        """Let every rule count the call, and return the first that applies to it."""
        applying = [rule for rule in self._rules if rule.concerns(call)]
        if not applying:
            return None
        applying[0].hits += 1
        return applying[0]
