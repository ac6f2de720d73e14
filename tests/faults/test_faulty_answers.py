"""Every fault of a provider: it books or not, now or late, and gives a wrong answer or none.

Then the client retries with the same key, or only the sweep runs. At the end the outcome is known, or unknown in truth.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from vezne_sandbox.faults import faults_of
from vezne_sandbox.odd import ODD_FORMS, UNNAMED_FORMS
from vezne_sandbox.sandbox import Sandbox

from tests.faults.environment import OPERATIONS, Environment, Function
from tests.faults.orders import AT_THE_PROVIDER, new_order
from tests.faults.reconciled import reconciled_trials
from tests.faults.tables import aligned, tally
from tests.faults.verdict import RETRY_AT, Trial

NOW, NEVER, LATE = True, False, {"after_seconds": 1}
SAID = ("hang", "reset", "status_500", "bad_gateway_html", "cut", "trailing_comma", "slow_drops", "informational",
        "informational_only")  # fmt: skip
# The answer instead of the true one, and whether the order is booked: `then` and `book` of a sandbox rule.
ORDER_FAULTS: list[tuple[str, dict[str, Any]]] = [
    *((f"{said}, {when}", {"then": said, "book": book})
      for said in SAID for when, book in (("booked", NOW), ("not booked", NEVER), ("booked late", LATE))),
    ("other_amount, booked", {"then": "other_amount"}),
    ("other_reference, booked", {"then": "other_reference"}),
    ("slow head, booked", {"then": "slow_drops", "drip": "headers"}),
    ("401 once", {"then": "unauthorized"}),
    ("401 always", {"then": "unauthorized", "times": 0}),
    ("429 once", {"then": "too_many_requests"}),
    ("refused", {"then": "refuse"}),
    ("gateway's JSON, booked", {"then": "gateway_json"}),
    ("gateway's JSON, not booked", {"then": "gateway_json", "book": NEVER}),
    ("odd refusal, booked", {"then": "odd_refusal"}),
    ("odd refusal, not booked", {"then": "odd_refusal", "book": NEVER}),
]  # fmt: skip
# The fault of a look-up. Each is tried for an order that was booked, and for one that was not.
LOOK_UP_FAULTS: list[tuple[str, dict[str, Any]]] = [
    (said, {"then": said, "times": times, **({"seconds": 1.5} if said == "lag" else {})})
    for said, times in (("fail", 2), ("lag", 2), ("foreign", 0), ("hang", 1), ("cut", 2), ("reset", 2),
                        ("bad_gateway_html", 2), ("trailing_comma", 2), ("informational", 2), ("unauthorized", 1),
                        ("too_many_requests", 1), ("unfiltered", 2), ("new_ids", 0), ("letters", 0), ("cut_text", 0),
                        ("clock_ahead", 2))
]  # fmt: skip
LOOK_UP_FAULTS += [
    (f"{then}: {form}", {"then": then, "form": form, "times": 0})
    for then, forms in (("unnamed_row", UNNAMED_FORMS), ("odd_row", ODD_FORMS))
    for form in forms
]
CALLS = Sandbox().operations
LOOK_UPS = {name: one.look_up for name, one in AT_THE_PROVIDER.items()}


def has_fault(call: str, fault: str) -> bool:
    """Whether the sandbox has this fault for this call, an order or a look-up."""
    return fault in faults_of(CALLS[call])


def answered_wrongly(function: Function, rule: dict[str, Any], *, retry: bool) -> Trial | None:
    """Send an order with a faulty answer. None if the provider cannot have this fault."""
    if not has_fault(function.operation, rule["then"]):
        return None
    trial = Trial(function, new_order(function.operation), late=rule.get("book") == LATE)
    made = function.environment.sandbox.rule(function.operation, match=trial.order.reference, **rule)
    trial.send()
    trial.let_late_bookings_fall_due()
    return finished(trial, made["id"], retry=retry)


def misled(function: Function, rule: dict[str, Any], *, booked: bool, retry: bool) -> Trial | None:
    """Send an order, lose its answer, and let its look-up have a fault. None if that fault is impossible."""
    if not has_fault(LOOK_UPS[function.operation], rule["then"]):
        return None
    trial = Trial(function, new_order(function.operation), late=rule["then"] == "lag")
    control = function.environment.sandbox
    control.rule(function.operation, match=trial.order.reference, then="reset", book=booked)
    trial.send()
    # For this order only, since two operations may have the same look-up.
    made = control.rule(LOOK_UPS[function.operation], match=trial.order.reference, **rule)
    return finished(trial, made["id"], retry=retry)


def finished(trial: Trial, rule_id: int, *, retry: bool) -> Trial:
    if retry:
        trial.retry(RETRY_AT)
        trial.retry(2 * RETRY_AT)
    trial.sweep_until_quiet()
    trial.function.environment.sandbox.remove_rules(rule_id)
    trial.sweep_until_quiet()
    trial.end()
    return trial


def judge(tried: dict[str, list[tuple[str, Trial]]]) -> list[str]:
    return [
        f"{operation}, {fault}: {trial.verdict}; told {trial.told}"
        for operation, trials in tried.items()
        for fault, trial in trials
        if trial.verdict
    ]


def fault_table(tried: dict[str, list[tuple[str, Trial]]], faults: list[str]) -> list[str]:
    rows = [["provider", *OPERATIONS]]
    for fault in faults:
        cells = []
        for operation in OPERATIONS:
            same = [trial for name, trial in tried[operation] if name == fault]
            cells.append(tally((t.bookings_at_the_end, t.final_status) for t in same) if same else "-")
        rows.append([fault, *cells])
    return aligned(rows)


def for_all_operations(environment: Environment, attempt: Any) -> dict[str, list[tuple[str, Trial]]]:
    environment.sandbox.reset()
    with ThreadPoolExecutor(len(OPERATIONS)) as pool:
        tried = pool.map(lambda name: attempt(environment.function(name)), OPERATIONS)
        return dict(zip(OPERATIONS, tried, strict=True))


@pytest.mark.timeout(1200)
def test_no_faulty_answer_doubles_or_loses_an_order(
    environment: Environment, report: list[str], unknown: Counter[str]
) -> None:
    def attempt(function: Function) -> list[tuple[str, Trial]]:
        tried = [
            (fault, answered_wrongly(function, rule, retry=retry))
            for fault, rule in ORDER_FAULTS
            for retry in (True, False)
        ]
        return [(fault, trial) for fault, trial in tried if trial is not None]

    tried = for_all_operations(environment, attempt)
    report += [
        "An order's answer is faulty; then two retries and sweeps, or sweeps alone: bookings and final status",
        *fault_table(tried, [fault for fault, _ in ORDER_FAULTS]),
    ]
    assert judge(tried) == []
    unknown.update(reconciled_trials(trial for trials in tried.values() for _, trial in trials))


@pytest.mark.timeout(1200)
def test_no_faulty_look_up_is_taken_for_an_outcome(
    environment: Environment, report: list[str], unknown: Counter[str]
) -> None:
    cases = [
        (f"{name}, {'booked' if booked else 'not booked'}", rule, booked)
        for name, rule in LOOK_UP_FAULTS
        for booked in (True, False)
    ]

    def attempt(function: Function) -> list[tuple[str, Trial]]:
        tried = [
            (name, misled(function, rule, booked=booked, retry=retry))
            for name, rule, booked in cases
            for retry in (True, False)
        ]
        return [(name, trial) for name, trial in tried if trial is not None]

    tried = for_all_operations(environment, attempt)
    report += [
        "The order's answer is lost, and the look-up is faulty; then two retries and sweeps, or sweeps alone",
        *fault_table(tried, [name for name, _, _ in cases]),
    ]
    assert judge(tried) == []
    unknown.update(reconciled_trials(trial for trials in tried.values() for _, trial in trials))
