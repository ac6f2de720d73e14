"""A function process is killed at every step of the path and of the sweep.

Then the client retries with the same key, and the sweep runs until nothing is left to do.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.environment import OPERATIONS, Environment, Function
from tests.faults.orders import new_order
from tests.faults.reconciled import reconciled_trials
from tests.faults.tables import aligned
from tests.faults.test_faulty_answers import LOOK_UPS, has_fault
from tests.faults.verdict import RETRY_AT, Trial

PATH_STEPS = (
    "claim.before", "claim.after", "order.before", "order.head", "order.left", "order.came", "finalise.before",
    "finalise.after",
)  # fmt: skip
SWEEP_STEPS = (
    "acquire_lease.before",
    "acquire_lease.after",
    "look_up.left",
    "look_up.came",
    "finalise.before",
    "finalise.after",
)
# What the provider does with the order's call: `then` and `book` of a sandbox rule.
FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "books, hangs": {"then": "hang"},
    "hangs": {"then": "hang", "book": False},
    "books late, resets": {"then": "reset", "book": {"after_seconds": 1}},
    "books, 502": {"then": "bad_gateway_html"},
    "refuses": {"then": "refuse"},
    "books, odd refusal": {"then": "odd_refusal", "book": True},
    "books, 103 alone": {"then": "informational_only"},
}
# What the look-up shows instead of the payment's row, in the sweep that is killed. The first fault that the sandbox has
# is used.
ODD_ROWS = {
    "row named otherwise": ("unnamed_row", "foreign"),
    "row without success": ("odd_row", "foreign"),
    "rows of others": ("unfiltered", "new_ids", "cut_text", "foreign"),
}


# The look-up finds the payment, so there is nothing to send again.
NEVER_SENT_AGAIN = {(f"retry: {step}", "none") for step in ("order.before", "order.left", "order.came")}


def trial_of(function: Function, fault: str) -> Trial:
    trial = Trial(function, new_order(function.operation), late="late" in fault)
    if FAULTS[fault]:
        function.environment.sandbox.rule(function.operation, match=trial.order.reference, **FAULTS[fault])
    return trial


def killed_on_the_path(function: Function, step: str, fault: str) -> Trial:
    trial = trial_of(function, fault)
    trial.send(plan={"at": step})
    return trial


def killed_on_the_retry(function: Function, step: str, fault: str) -> Trial:
    """The first call loses its answer. The retry takes the record over, looks up, and is killed."""
    trial = trial_of(function, fault)
    trial.send(plan={"at": "order.came"})
    trial.send(clock=RETRY_AT, plan={"at": step})
    return trial


def killed_in_the_sweep(function: Function, step: str, fault: str) -> Trial:
    trial = trial_of(function, fault)
    trial.send(plan={"at": "order.came"})
    trial.sweep(clock=RETRY_AT, plan={"at": step})
    return trial


def killed_beside_an_odd_row(function: Function, step: str, fault: str) -> Trial:
    """The payment was made. The first look-up proves nothing, the next one shows the truth."""
    trial = Trial(function, new_order(function.operation))
    trial.send(plan={"at": "order.came"})
    then = next(said for said in ODD_ROWS[fault] if has_fault(LOOK_UPS[function.operation], said))
    made = function.environment.sandbox.rule(LOOK_UPS[function.operation], then=then, match=trial.order.reference)
    trial.sweep(clock=RETRY_AT, plan={"at": step})
    function.environment.sandbox.remove_rules(made["id"])
    return trial


WHERE = {
    "path": (killed_on_the_path, PATH_STEPS, tuple(FAULTS)),
    "retry": (killed_on_the_retry, (*SWEEP_STEPS, "order.before", "order.left", "order.came"), ("none", "hangs")),
    "sweep": (killed_in_the_sweep, SWEEP_STEPS, ("none", "hangs", "books late, resets")),
    "rows": (killed_beside_an_odd_row, ("look_up.came", "finalise.before", "finalise.after"), tuple(ODD_ROWS)),
}


def try_all(function: Function) -> list[tuple[str, str, Trial]]:
    """Try every step with every fault, each with a new order. A retry and sweeps follow."""
    tried = []
    for where, (kill, steps, faults) in WHERE.items():
        for step in steps:
            for fault in faults:
                trial = kill(function, step, fault)
                trial.hit = trial.told[-1].endswith("killed")
                trial.let_late_bookings_fall_due()
                trial.retry(2 * RETRY_AT)
                trial.sweep_until_quiet()
                trial.end()
                tried.append((f"{where}: {step}", fault, trial))
    return tried


@pytest.mark.timeout(1200)
def test_a_kill_at_any_step_keeps_the_promise(
    environment: Environment, report: list[str], unknown: Counter[str]
) -> None:
    environment.sandbox.reset()
    with ThreadPoolExecutor(len(OPERATIONS)) as pool:
        tried = dict(
            zip(OPERATIONS, pool.map(lambda name: try_all(environment.function(name)), OPERATIONS), strict=True)
        )
    report += ["Killed at each step, then a retry and sweeps: bookings and final status", *kill_table(tried)]
    report += ["In brackets: the invocation ended before that step (only two operations send again)."]
    wrong = [
        f"{operation}, {step}, {fault}: {trial.verdict}; told {trial.told}"
        for operation, trials in tried.items()
        for step, fault, trial in trials
        if trial.verdict
    ]
    assert wrong == []
    unknown.update(reconciled_trials(trial for trials in tried.values() for *_, trial in trials))
    # A step that is never reached proves nothing.
    for trials in zip(*tried.values(), strict=True):
        assert any(trial.hit for _, _, trial in trials) or trials[0][:2] in NEVER_SENT_AGAIN


def shown(trial: Trial) -> str:
    """The result, in brackets if the invocation ended before the step."""
    outcome = f"{trial.bookings_at_the_end} {trial.final_status}"
    return outcome if trial.hit else f"({outcome})"


def kill_table(tried: dict[str, list[tuple[str, str, Trial]]]) -> list[str]:
    rows = [["killed at", "provider", *OPERATIONS]]
    for line in zip(*tried.values(), strict=True):
        step, fault, _ = line[0]
        rows.append([step, fault, *(shown(trial) for _, _, trial in line)])
    return aligned(rows)
