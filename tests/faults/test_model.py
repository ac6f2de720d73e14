"""Retries, kills, sweeps, clocks that differ, lies and expiry in any order, held to a small reference model.

The model knows of an order what a careful observer outside could know: how often the sandbox booked it, and what was
said about it so far.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from vezne.record import SETTLED, Record

from tests.faults.function import STEPS
from tests.faults.in_process import Bench, in_process
from tests.faults.orders import COMPLETE_LOOK_UP, Order, new_order
from tests.faults.test_lies import LOOK_UPS
from tests.faults.world import OPERATIONS, Answer
from tests.sandbox.odd import ODD_FORMS, UNNAMED_FORMS
from tests.sandbox.rules import FORMS, lies_of

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
# By itself the code never waits longer for a late booking than this; see each operation's settling_time.
LATEST_SECONDS = 60
# The last ones are past the banks' longest closure.
QUIET_STEPS = (60, 600, 3600, 7200, 30000, 90000, 90000, 90000, 1_000_000, 90000)
ran: Counter[str] = Counter()


@dataclass
class Known:
    """What was said about an order, in this life of its record."""

    settled: str | None = None
    booked_before: int = 0


class Vezne(RuleBasedStateMachine):
    """Three orders of one operation; two of them name the same bill, transaction or pre-authorisation."""

    current: Bench

    @initialize(operation=st.sampled_from(OPERATIONS))
    def start(self, operation: str) -> None:
        ran[operation] += 1
        self.bench = Bench(operation)
        type(self).current = self.bench
        first, other = new_order(operation, "120.00"), new_order(operation, "130.00")
        self.orders = [first, self._like(first), other]
        self.known = {order.id: Known() for order in self.orders}

    @staticmethod
    def _like(order: Order) -> Order:
        """The same bill or pre-authorisation under another key; a higher total for HASO, another part for Paynet."""
        changes = {
            "haso.set_expenses": {"expense_amount": "150.00"},
            "paynet.capture": {"amount": "20.00"},
        }
        body = {**order.body, **changes.get(order.operation, {})}
        if order.operation == "kolaybi.collect":
            return new_order(order.operation)
        return replace(order, key=f"{order.key}-again", body=body)

    @rule(index=st.integers(0, 2), then=SAID, book=BOOK)
    def next_call_of_an_order_is_lied_to(self, index: int, then: str, book: Any) -> None:
        if then in ("unauthorized", "too_many_requests", "refuse"):
            book = False
        elif then == "answer":
            book = True
        if then not in lies_of(self.bench.sandbox.operations[self.bench.operation.name]):
            return
        self.bench.rule(operation=self.bench.operation.name, then=then, book=book, match=self.orders[index].mark)

    @rule(then=LOOK_UP_SAID, form=ROW_FORMS, times=st.integers(1, 3))
    def next_look_ups_lie(self, then: str, form: str, times: int) -> None:
        name = LOOK_UPS[self.bench.operation.name]
        if then in lies_of(self.bench.sandbox.operations[name]):
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
    def function_pauses_and_another_one_comes_between(
        self, index: int, step: str, between: str, skew: float, seconds: float
    ) -> None:
        """With a skew, or after half a minute, the other one finds the lease over: this one becomes a zombie."""
        order = self.orders[index]

        def others() -> None:
            self.bench.pass_time(seconds)
            if between != "retry":
                self.bench.sweep(skew=skew)
            if between != "sweep":
                self._send(order, skew=skew)

        self.bench.between = others
        # Past its own time limit a function sends nothing any more; that needs a real process (test_races.py).
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
        """A key whose record is gone is a new order by contract."""
        self.bench.pass_time(91 * 24 * 3600)
        for record_id in self.bench.table.expire(self.bench.now):
            order = next(order for order in self.orders if order.id == record_id)
            self.known[record_id] = Known(booked_before=self._booked(order))

    def _send(self, order: Order, **how: Any) -> None:
        answer = self.bench.call(order.event, **how)
        if answer is not None:
            self._check_answer(order, answer)

    def _check_answer(self, order: Order, answer: Answer) -> None:
        assert answer.status in (200, 202, 402, 409, 422, 502, 503), answer.body
        booked = self._booked_now(order)
        if answer.status == 200:
            assert booked == 1 or (order.operation == "haso.set_expenses" and self._booked(order))
        elif answer.body["money"] == "not_moved" and not self._shared(order) and not self._is_late(order):
            assert booked == 0, answer.body

    def _booked(self, order: Order) -> int:
        """How often this very order was booked: a shared reference counts by amount."""
        ours = [b for b in self.bench.sandbox.ledger.bookings if order._is_mine(b.as_json())]
        if order.operation in ("haso.set_expenses", "paynet.capture"):
            wanted = order.body.get("expense_amount") or order.body.get("amount")
            ours = [b for b in ours if f"{b.amount:.2f}" == wanted]
        if order.operation == "kolaybi.collect":
            ours = [b for b in ours if order.id in b.reference]
        return len(ours)

    def _booked_now(self, order: Order) -> int:
        """In this life of its record. HASO: the same total again moves nothing."""
        booked = self._booked(order) - self.known[order.id].booked_before
        return min(1, booked) if order.operation == "haso.set_expenses" else booked

    def _is_late(self, order: Order) -> bool:
        return any(order._is_mine(late.payment.booking.as_json()) for late in self.bench.sandbox.late)

    def _shared(self, order: Order) -> bool:
        """Whether another order of this run pays the very same thing, so that the booking may be the other's."""
        return order.operation in ("walletgate.pay_bill", "vakifbank.pay") and order is not self.orders[2]

    @invariant()
    def no_order_is_booked_twice(self) -> None:
        for order in getattr(self, "orders", ()):
            assert self._booked_now(order) <= 1

    @invariant()
    def what_is_settled_is_true_and_never_changes(self) -> None:
        for order in getattr(self, "orders", ()):
            record = self.bench.store().find(order.id)
            known = self.known[order.id]
            if known.settled is not None:
                assert record is not None
                assert record.status == known.settled
            if record is not None and record.settled:
                known.settled = record.status
                self._check_settled(order, record)

    def _check_settled(self, order: Order, record: Record) -> None:
        booked = self._booked_now(order)
        if record.status == "succeeded":
            # HASO: a total that stands already, from before the key was forgotten, is the total that was ordered.
            assert booked == 1 or (order.operation == "haso.set_expenses" and self._booked(order))
        elif not self._shared(order) and order.operation != "haso.set_expenses":
            assert booked == 0

    @invariant()
    def nothing_unknown_is_lost(self) -> None:
        if not hasattr(self, "orders"):
            return
        listed = {item.id for item in self.bench.store().unresolved(self.bench.operation.name)}
        for order in self.orders:
            record = self.bench.store().find(order.id)
            if record is None:
                assert self._shared(order) or not self._booked_now(order)
            elif record.status not in SETTLED:
                assert order.id in listed

    def teardown(self) -> None:
        """The lies end, time passes, sweeps run: then every outcome the provider shows is known."""
        if not hasattr(self, "orders"):
            return
        self.bench.sandbox.rules.remove()
        for seconds in QUIET_STEPS:
            self.bench.pass_time(seconds)
            self.bench.sweep()
        self.no_order_is_booked_twice()
        self.what_is_settled_is_true_and_never_changes()
        self.nothing_unknown_is_lost()
        for order in self.orders:
            record = self.bench.store().find(order.id)
            if record is not None and not record.settled:
                assert order.operation not in COMPLETE_LOOK_UP, record.evidence
                assert not self._booked_now(order) or self._is_ambiguous(order), record.evidence
        self._highest_total_stands()

    def _is_ambiguous(self, order: Order) -> bool:
        """Paynet: by clocks that differ, the capture may have been made before the claim. That proves nothing."""
        return order.operation == "paynet.capture"

    def _highest_total_stands(self) -> None:
        if self.bench.operation.name != "haso.set_expenses":
            return
        accepted = [order for order in self.orders[:2] if self._status(order) == "succeeded"]
        totals = [b.amount for b in self.bench.sandbox.ledger.bookings if b.reference == self.orders[0].mark]
        if accepted and all(known.booked_before == 0 for known in self.known.values()):
            assert f"{totals[-1]:.2f}" == max(order.body["expense_amount"] for order in accepted)

    def _status(self, order: Order) -> str | None:
        record = self.bench.store().find(order.id)
        return record.status if record else None


@pytest.mark.timeout(900)
def test_any_course_of_events_keeps_the_promise(seed: int, report: list[str]) -> None:
    ran.clear()
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
    report += [f"Model: {sum(ran.values())} runs: " + ", ".join(f"{n} {name}" for name, n in sorted(ran.items()))]
