"""Any course of orders on a table that loses, delays and doubles writes keeps the promise, guards among it.

The code under test, its conditions included, is the deployed one; `memory_table.py` evaluates them. The promise is that
of `test_model.py`. Beside it: what was paid for good stays guarded, and nothing is guarded that nobody holds.
"""

import dataclasses
import os
import random
from collections import Counter
from typing import Any
from unittest import mock

import pytest
from vezne import idempotency
from vezne.record import SUCCEEDED, guard_id

from tests.faults.chaos import ChaoticTable
from tests.faults.function import STEPS
from tests.faults.in_process import in_process
from tests.faults.orders import seeded
from tests.faults.test_model import Vezne
from tests.faults.world import OPERATIONS, SWEEP, Answer

RUNS = int(os.environ.get("VEZNE_CHAOS_RUNS") or 500)
STEPS_OF_A_RUN = 18


class Run:
    """One operation's orders under chaos, held to the model's rules after each step."""

    def __init__(self, operation: str, chance: random.Random) -> None:
        self._chance = chance
        self.model = Vezne()
        self.model.start(operation)
        self.bench = self.model.bench
        self.table = ChaoticTable(chance, self._between)
        self.bench.table = self.table
        self._call, self.bench.call = self.bench.call, self._chaotic_call  # type: ignore[method-assign]
        # The guards that were paid for good, by the name of their items.
        self._paid: set[str] = set()

    def live(self) -> None:
        """From the first step to the end."""
        for _ in range(STEPS_OF_A_RUN):
            self.step()
        self.end()

    def _chaotic_call(self, event: Any, **how: Any) -> Answer | None:
        self.table.depth += 1
        try:
            return self._call(event, **how)
        except idempotency.StoreUnavailableError:
            # A sweep says so, and Lambda tries it again.
            assert event is SWEEP
            return None
        finally:
            self.table.depth -= 1

    def _between(self) -> None:
        """Another invocation comes between two moments of this one's write."""
        try:
            if self._chance.random() < 0.3:
                self.bench.sweep(skew=self._chance.choice([0.0, 120.0]))
            else:
                self._client_sends()
        except AssertionError as error:
            # Raised here it would pass for an error of the code under test, which has an answer for every error.
            self.bench._broken = self.bench._broken or error

    def _client_sends(self) -> None:
        self.model.client_sends(index=self._chance.randrange(3), skew=self._chance.choice([0.0, 0.0, 120.0]))

    def step(self) -> None:
        """One thing that may happen, then the rules."""
        chance, model = self._chance, self.model
        match chance.choice(["send", "send", "send", "kill", "sweep", "lie", "look-up lie", "time", "time", "days"]):
            case "send":
                self._client_sends()
            case "kill":
                model.client_sends_and_the_function_is_killed(
                    index=chance.randrange(3), step=chance.choice(STEPS), nth=1
                )
            case "sweep":
                model.sweep_runs(step=None, skew=0.0)
            case "lie":
                then = chance.choice(["answer", "reset", "status_500", "unauthorized", "refuse"])
                book = chance.choice([True, False])
                model.next_call_of_an_order_is_lied_to(index=chance.randrange(3), then=then, book=book)
            case "look-up lie":
                model.next_look_ups_lie(then=chance.choice(["fail", "reset", "lag"]), form="", times=1)
            case "time":
                model.time_passes(seconds=chance.choice([1, 31, 61, 700, 4000]))
            case "days":
                # No write is on its way for so long.
                self.table.land()
                if chance.random() < 0.5:
                    model.ninety_days_pass()
        self.check()

    def check(self) -> None:
        """The model's rules, and that what was paid for good stays guarded."""
        self.model.no_order_is_booked_twice()
        self.model.what_is_settled_is_true_and_never_changes()
        self.model.nothing_unknown_is_lost()
        for item in self.table.items.values():
            if item["id"]["S"].startswith("op_") and item["status"]["S"] == SUCCEEDED and "guard" in item:
                guard = item["guard"]["M"]
                if guard["keeps"]["BOOL"]:
                    self._paid.add(guard_id(item["operation"]["S"], guard["key"]["S"]))
        for name in self._paid:
            assert "paid" in self.table.items.get(name, {}), "what was paid is not guarded any more"

    def end(self) -> None:
        """The faults end; then every order comes to its end, and nothing is guarded that nobody holds."""
        self.table.land()
        self.bench.call = self._call  # type: ignore[method-assign]
        self.check()
        self.model.teardown()
        self.check()
        for order in self.model.orders:
            if order.operation == "kolaybi.collect":
                continue
            answer = self._call(dataclasses.replace(order, key=f"{order.key}-at-the-end").event)
            assert answer is not None
            if answer.status == 409:
                self._check_refusal()

    def _check_refusal(self) -> None:
        """It is true: the thing was paid for good, or an order that stands holds it."""
        for name, item in self.table.items.items():
            if name.startswith("guard#") and "holder" in item and "paid" not in item:
                holder = self.table.items.get(item["holder"]["S"])
                assert holder is not None, "a guard without a record refuses an order"
                assert "unresolved" in holder, "a guard of a final order refuses another"


@pytest.mark.timeout(7200)
def test_a_table_that_loses_delays_and_doubles_writes_breaks_nothing(seed: int, report: list[str]) -> None:
    happened, current = Counter[str](), list[Run]()
    with in_process(lambda: current[-1].bench), mock.patch.object(idempotency.time, "sleep"):
        for number in range(RUNS):
            operation = OPERATIONS[number % len(OPERATIONS)]
            name = f"chaos {number} {operation}"
            try:
                run = Run(operation, seeded(seed, name))
                current[:] = [run]
                run.live()
            except AssertionError as error:
                error.add_note(f"run {number} of VEZNE_FAULTS_SEED={seed}: {operation}")
                raise
            happened += run.table.happened
    through = happened.pop("none")
    # Each kind of fault came up.
    assert len(happened) == 10
    report += [f"Chaos: {RUNS} runs, {through} writes went through; "
               + ", ".join(f"{count} {what}" for what, count in sorted(happened.items()))]  # fmt: skip
