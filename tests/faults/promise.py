"""The promise, as a careful observer outside could hold it to account.

He knows how often the provider booked each order, and what was said about it so far.
"""

from dataclasses import dataclass
from typing import Any

from vezne.orders.record import FINAL, SUCCEEDED, Record

from tests.faults.environment import Answer
from tests.faults.in_process import Bench
from tests.faults.orders import COMPLETE_LOOK_UP, PAID_ONCE, Order, new_order


@dataclass
class Known:
    """What was said about an order, in this life of its record."""

    final: str | None = None
    # Whether a client was told that it succeeded.
    told_paid: bool = False
    booked_before: int = 0


def like(order: Order) -> Order:
    """The same bill or pre-authorisation under another key; a higher total for HASO, another part for Paynet."""
    if not order.example.declared.has_guards:
        return new_order(order.operation)
    return another(order, f"{order.key}-again", "150.00")


def another(order: Order, key: str, amount: str) -> Order:
    """Another order of the same thing: the same one of what is paid once, else for another amount."""
    return order.but(key=key) if order.operation in PAID_ONCE else order.for_amount(amount, key=key)


class Promise:
    """Orders of one bench, and what must be true of them at any time."""

    def __init__(self, bench: Bench, orders: list[Order]) -> None:
        self.bench = bench
        self.orders = orders
        self.known = {order.id: Known() for order in orders}

    def add(self, order: Order) -> None:
        """One more order."""
        self.orders.append(order)
        self.known[order.id] = Known()

    def check(self) -> None:
        """Hold everything that can be seen now to the promise."""
        self.no_order_is_booked_twice()
        self.what_is_final_is_true_and_never_changes()
        self.nothing_unknown_is_lost()

    def send(self, order: Order, **how: Any) -> Answer | None:
        """Send an order once, and hold what is told to the promise; None if the function was killed."""
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
            # What another invocation of the same order did after this one was refused is not this one's to tell.
            assert (booked if self.bench.sent_by_last else before) == 0, answer.body

    def forget(self, record_id: str) -> None:
        """Its record has expired: by contract the key is a new order's."""
        order = next((order for order in self.orders if order.id == record_id), None)
        if order is not None:
            self.known[record_id] = Known(booked_before=self.bench.booked(order.key))

    def booked_now(self, order: Order) -> int:
        """How often in this life of its record. HASO: the same total again moves nothing."""
        booked = self.bench.booked(order.key) - self.known[order.id].booked_before
        return min(1, booked) if order.example.is_total else booked

    def _stood_before(self, order: Order) -> bool:
        """HASO: a total that stands already, from before the key was forgotten, is the total that was ordered."""
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
        """When the faults are over, time has passed and sweeps ran: every outcome the provider shows is known."""
        self.check()
        for order in self.orders:
            record = self.bench.store().find(order.id)
            if record is not None and not record.final:
                assert order.operation not in COMPLETE_LOOK_UP, record.evidence
                # Paynet: by clocks that differ, the capture may have been made before the claim. That proves nothing.
                ambiguous = order.example.found_by_time
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
