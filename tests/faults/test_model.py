"""Random sequences of retries, kills, sweeps, faulty answers, expiry and different clocks, compared with a small model.

What must always be true is in `promise.py`.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed as with_seed, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from vezne_sandbox.faults import faults_of
from vezne_sandbox.odd import ODD_FORMS, UNNAMED_FORMS
from vezne_sandbox.rules import FORMS

from tests.faults.environment import OPERATIONS
from tests.faults.function import STEPS
from tests.faults.in_process import Bench, in_process
from tests.faults.orders import Order, new_order
from tests.faults.promise import Promise, like
from tests.faults.reconciled import reconciled
from tests.faults.test_faulty_answers import LOOK_UPS

RUNS = 2000
SKEWS = st.sampled_from([0.0, 120.0, -120.0])
SAID = st.sampled_from(["answer", "hang", "reset", "status_500", "bad_gateway_html", "cut", "trailing_comma",
                        "informational", "unauthorized", "too_many_requests", "refuse", "odd_refusal",
                        "gateway_json"])  # fmt: skip
LOOK_UP_SAID = st.sampled_from(["fail", "lag", "foreign", "reset", "cut", "trailing_comma", "informational",
                                "unauthorized", "unfiltered", "unnamed_row", "odd_row", "new_ids",
                                "letters", "cut_text", "clock_ahead"])  # fmt: skip
ROW_FORMS = st.sampled_from([*UNNAMED_FORMS, *ODD_FORMS])
BOOK = st.sampled_from([True, False, {"after_seconds": 5}, {"after_seconds": 50}])
# The code never waits longer than this for a late booking, unless an operation has its own settling_time.
LATEST_SECONDS = 60
# The last ones are longer than the banks' longest closure.
QUIET_STEPS = (60, 600, 3600, 7200, 30000, 90000, 90000, 90000, 1_000_000, 90000)
ran: Counter[str] = Counter()
outcomes: Counter[str] = Counter()


class Vezne(RuleBasedStateMachine):
    """Three orders of one operation. Two of them name the same bill, transaction or pre-authorisation."""

    current: Bench

    @initialize(operation=st.sampled_from(OPERATIONS))
    def start(self, operation: str) -> None:
        ran[operation] += 1
        self.bench = Bench(operation)
        type(self).current = self.bench
        first, other = new_order(operation, "120.00"), new_order(operation, "130.00")
        self.orders = [first, like(first), other]
        self.promise = Promise(self.bench, self.orders)
        self.expired = False

    @rule(index=st.integers(0, 2), then=SAID, book=BOOK)
    def next_call_of_an_order_has_a_fault(self, index: int, then: str, book: Any) -> None:
        if then in ("unauthorized", "too_many_requests", "refuse"):
            book = False
        elif then == "answer":
            book = True
        if then not in faults_of(self.bench.sandbox.operations[self.bench.operation.name]):
            return
        self.bench.rule(operation=self.bench.operation.name, then=then, book=book, match=self.orders[index].reference)

    @rule(then=LOOK_UP_SAID, form=ROW_FORMS, times=st.integers(1, 3))
    def next_look_ups_have_a_fault(self, then: str, form: str, times: int) -> None:
        name = LOOK_UPS[self.bench.operation.name]
        if then in faults_of(self.bench.sandbox.operations[name]):
            forms = {"form": form} if form in FORMS.get(then, ()) else {}
            self.bench.rule(operation=name, then=then, times=times, seconds=20, **forms)

    @rule()
    def tokens_expire(self) -> None:
        for provider in self.bench.sandbox.providers.values():
            provider.tokens.revoke()

    @rule(index=st.integers(0, 2), skew=SKEWS)
    def client_sends(self, index: int, skew: float) -> None:
        self._send(self.orders[index], skew=skew)

    @rule(index=st.integers(0, 2), step=st.sampled_from(STEPS), nth=st.integers(1, 2))
    def client_sends_and_the_function_is_killed(self, index: int, step: str, nth: int) -> None:
        self._send(self.orders[index], plan={"at": step, "nth": nth, "do": "kill"})

    @rule(
        index=st.integers(0, 2), step=st.sampled_from(STEPS), between=st.sampled_from(["retry", "sweep", "both"]),
        skew=SKEWS, seconds=st.sampled_from([0, 5, 35]),
    )  # fmt: skip
    def function_pauses_and_another_one_runs(
        self, index: int, step: str, between: str, skew: float, seconds: float
    ) -> None:
        """Let another function run while this one pauses.

        With a skew, or after half a minute, the other one finds that the lease is over. Then this one continues late.
        """
        order = self.orders[index]

        def others() -> None:
            self.bench.pass_time(seconds)
            if between != "retry":
                self.bench.sweep(skew=skew)
            if between != "sweep":
                self._send(order, skew=skew)

        self.bench.between = others
        # After its time limit a function sends nothing. Only a real process can show that (test_races.py).
        late = seconds > 27 and step in ("claim.after", "order.before", "claim.before")
        self._send(order, plan={} if late else {"at": step, "do": "pause"})

    @rule(step=st.none() | st.sampled_from(STEPS), skew=SKEWS)
    def sweep_runs(self, step: str | None, skew: float) -> None:
        self.bench.sweep(skew=skew, plan={"at": step, "do": "kill"} if step else {})

    @rule(seconds=st.sampled_from([1, 29, 31, 61, 400, 700, 1900, 4000]))
    def time_passes(self, seconds: float) -> None:
        self.bench.pass_time(seconds)

    @rule()
    def ninety_days_pass(self) -> None:
        """By contract, a key without a record is a new order."""
        self.bench.pass_time(91 * 24 * 3600)
        for record_id in self.bench.table.expire(self.bench.now):
            self.expired = True
            self.promise.forget(record_id)

    def _send(self, order: Order, **how: Any) -> None:
        self.promise.send(order, **how)

    @invariant()
    def the_promise_is_kept(self) -> None:
        if hasattr(self, "orders"):
            self.promise.check()

    def teardown(self) -> None:
        """End the faults, let time pass and sweep. Then every outcome that the provider shows is known."""
        if not hasattr(self, "orders"):
            return
        self.bench.sandbox.rules.remove()
        for seconds in QUIET_STEPS:
            self.bench.pass_time(seconds)
            self.bench.sweep()
        self.promise.check_the_end()
        # A record that has expired is known to the provider alone.
        if not self.expired:
            outcomes.update(reconciled(self.bench, self.orders))
            self.promise.check()


@pytest.mark.timeout(1800)
def test_any_sequence_of_events_keeps_the_promise(seed: int, report: list[str], unknown: Counter[str]) -> None:
    ran.clear()
    outcomes.clear()
    with in_process(lambda: Vezne.current):
        run_state_machine_as_test(
            with_seed(seed)(Vezne),
            settings=settings(
                max_examples=RUNS,
                stateful_step_count=14,
                deadline=None,
                database=None,
                print_blob=True,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
    assert sum(ran.values()) >= RUNS
    unknown.update(outcomes)
    report += [f"Model: {sum(ran.values())} runs: " + ", ".join(f"{n} {name}" for name, n in sorted(ran.items()))]
