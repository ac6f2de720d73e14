"""The promise, checked by an observer outside.

The observer knows how often the provider booked each order, and what the clients were told so far.
"""

from dataclasses import dataclass
from typing import Any

from vezne.orders.record import FINAL, SUCCEEDED, Record

from tests.faults.environment import Answer
from tests.faults.in_process import Bench
from tests.faults.orders import COMPLETE_LOOK_UP, PAID_ONCE, Order, new_order


@dataclass
class Known:
    """What clients were told about an order, in this life of its record."""

    final: str | None = None
    # Whether a client was told that it succeeded.
    told_paid: bool = False
    booked_before: int = 0


def like(order: Order) -> Order:
    """An order for the same thing under another key: a higher total for HASO, another part for Paynet."""
    if not order.example.declared.has_guards:
        return new_order(order.operation)
    return another(order, f"{order.key}-again", "150.00")


def another(order: Order, key: str, amount: str) -> Order:
    """A further order for the same thing: with the same amount if it is paid once, else with another amount."""
    return order.but(key=key) if order.operation in PAID_ONCE else order.for_amount(amount, key=key)


class Promise:
    """Orders of one bench, and what must always be true of them."""

    def __init__(self, bench: Bench, orders: list[Order]) -> None:
        self.bench = bench
        self.orders = orders
        self.known = {order.id: Known() for order in orders}

    def add(self, order: Order) -> None:
        """Add an order."""
        self.orders.append(order)
        self.known[order.id] = Known()

    def check(self) -> None:
        """Check the promise against everything that can be seen now."""
        self.no_order_is_booked_twice()
        self.what_is_final_is_true_and_never_changes()
        self.nothing_unknown_is_lost()

    def send(self, order: Order, **how: Any) -> Answer | None:
        """Send an order once, and check the answer; None if the function was killed."""
        before = self.booked_now(order)
        answer = self.bench.call(order.event, **how)
        if answer is not None:
            self._check_answer(order, answer, before)
        return answer

    def _check_answer(self, order: Order, answer: Answer, before: int) -> None:
        assert answer.status in (200, 202, 402, 409, 422, 502, 503), answer.body
        booked, known = self.booked_now(order), self.known[order.id]
        if answer.status == 200:
            assert booked == 1 or self._stood_before(order), answer.body
            known.told_paid = True
            return
        assert not (answer.status == 402 and known.told_paid), answer.body
        if answer.body["money"] == "not_moved" and not self.bench.is_late(order.key):
            # After this invocation was refused, another of the same order may do something. This one cannot know it.
            assert (booked if self.bench.sent_by_last else before) == 0, answer.body

    def forget(self, record_id: str) -> None:
        """The record has expired. By contract, the same key is now a new order."""
        order = next((order for order in self.orders if order.id == record_id), None)
        if order is not None:
            self.known[record_id] = Known(booked_before=self.bench.booked(order.key))

    def booked_now(self, order: Order) -> int:
        """How often it was booked in this life of its record. HASO: the same total again moves nothing."""
        booked = self.bench.booked(order.key) - self.known[order.id].booked_before
        return min(1, booked) if order.example.is_total else booked

    def _stood_before(self, order: Order) -> bool:
        """HASO: whether this total was already in force before the key was forgotten."""
        return order.example.is_total and self.bench.booked(order.key) > 0

    def no_order_is_booked_twice(self) -> None:
        for order in self.orders:
            assert self.booked_now(order) <= 1
        if self.bench.operation.name in PAID_ONCE:
            for mark in {order.mark for order in self.orders}:
                assert sum(self.bench.booked(order.key) for order in self.orders if order.mark == mark) <= 1

    def what_is_final_is_true_and_never_changes(self) -> None:
        for order in self.orders:
            record = self.bench.store().find(order.id)
            known = self.known[order.id]
            if known.final is not None:
                assert record is not None
                assert record.status == known.final
            if record is not None and record.final:
                known.final = record.status
                assert not known.told_paid or record.status == SUCCEEDED
                self._check_final(order, record)

    def _check_final(self, order: Order, record: Record) -> None:
        booked = self.booked_now(order)
        if record.status == SUCCEEDED:
            assert booked == 1 or self._stood_before(order)
        elif not order.example.is_total:
            assert booked == 0

    def nothing_unknown_is_lost(self) -> None:
        listed = {item.id for item in self.bench.store().unresolved(self.bench.operation.name)}
        for order in self.orders:
            record = self.bench.store().find(order.id)
            if record is None:
                assert not self.booked_now(order)
            elif record.status not in FINAL:
                assert order.id in listed

    def check_the_end(self) -> None:
        """After the faults, with time and sweeps: every outcome that the provider shows is known."""
        self.check()
        for order in self.orders:
            record = self.bench.store().find(order.id)
            if record is not None and not record.final:
                assert order.operation not in COMPLETE_LOOK_UP, record.evidence
                # Paynet: clocks differ, so the capture may seem older than the claim. Then it proves nothing.
                ambiguous = order.example.found_by_time or order.example.never_proved
                assert not self.booked_now(order) or ambiguous, record.evidence
        self._highest_total_stands()

    def _highest_total_stands(self) -> None:
        if not self.orders[0].example.is_total:
            return
        accepted = [order for order in self.orders[:2] if self._status(order) == SUCCEEDED]
        totals = [b.amount for b in self.bench.sandbox.ledger.bookings if b.reference == self.orders[0].mark]
        if accepted and all(known.booked_before == 0 for known in self.known.values()):
            assert f"{totals[-1]:.2f}" == max(order.amount for order in accepted)

    def _status(self, order: Order) -> str | None:
        record: Any = self.bench.store().find(order.id)
        return record.status if record else None
