"""Holds answers and records to the truth, which is what the sandbox booked."""

from dataclasses import dataclass, field

from tests.faults.environment import Answer, Died, Function
from tests.faults.orders import COMPLETE_LOOK_UP, Order

# After these times the sweep runs: the client's lease is over, and then past each step of the back-off and past every
# operation's settling time. In seconds on the functions' clock.
RETRY_AT = 40
SWEEPS_AT = (120, 3000, 7200, 30000, 1_000_000)
DAY = 24 * 3600


@dataclass
class Trial:
    """One order's life under faults: what the client was told, what stands in the table, what was booked."""

    function: Function
    order: Order
    late: bool = False
    told: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    # Whether the invocation that was to be killed came to the step at which it was to happen.
    hit: bool = False
    # How far ahead the clock of the next sweeps begins: a look-up that was pushed back by a day is due again.
    ahead: int = 0
    bookings_at_the_end: int = 0
    final_status: str = ""
    verdict: list[str] = field(default_factory=list)

    @property
    def bookings(self) -> int:
        return self.order.times_booked(self.function.environment.sandbox)

    def send(self, **request: object) -> Answer | None:
        """The client sends the order; None if the function was killed."""
        try:
            answer = self.function.call(self.order.event, **request)
        except Died:
            self.told.append("killed")
            return None
        self.check(answer)
        return answer

    def retry(self, clock: float, **request: object) -> None:
        """The client sends the order again, once a lease would be over; at once if nothing stands in the table."""
        self.send(clock=clock if self.function.record(self.order.id) else 0, **request)

    def sweep(self, **request: object) -> None:
        """The scheduled sweep; it may be killed, too."""
        try:
            answer = self.function.sweep(**request)
        except Died:
            self.told.append("sweep killed")
            return
        self.told.append("swept")
        if answer.raised:
            self.wrong.append(f"the sweep raised {answer.raised}")

    def sweep_until_quiet(self) -> None:
        """Sweep at growing times until the record is final or gone, or the times are over."""
        for seconds in SWEEPS_AT:
            record = self.function.record(self.order.id)
            if record is None or record.final:
                return
            self.let_late_bookings_fall_due()
            self.sweep(clock=self.ahead + seconds)
        self.ahead += SWEEPS_AT[-1] + DAY

    def let_late_bookings_fall_due(self) -> None:
        """The provider's clock goes on by the second that a late booking takes.

        Only where something is late: the clock is common to all trials, and must stay near the functions'.
        """
        if self.late:
            self.function.environment.sandbox.advance_clock(1)

    def check(self, answer: Answer) -> None:
        """An answer must be true when it is given."""
        bookings = self.bookings
        said = answer.slug if answer.status >= 300 else answer.body["status"]
        self.told.append(f"{answer.status} {said}")
        if bookings > 1:
            self.wrong.append(f"{bookings} bookings")
        if answer.status == 200 and bookings != 1:
            self.wrong.append(f"said succeeded with {bookings} bookings")
        if answer.status != 200 and answer.body.get("money") == "not_moved" and bookings:
            self.wrong.append(f"said {answer.body['type']} with {bookings} bookings")
        if answer.status == 500:
            self.wrong.append("said 500")

    @property
    def kills(self) -> int:
        """How often the function was killed."""
        return self.told.count("killed") + self.told.count("sweep killed")

    @property
    def final(self) -> str:
        """The status the table holds, or `no record`."""
        record = self.function.record(self.order.id)
        return record.status if record else "no record"

    def judge(self) -> list[str]:
        """What contradicts the promise, in words; empty if nothing does."""
        final, bookings = self.final, self.bookings
        wrong = list(self.wrong)
        if bookings > 1:
            wrong.append(f"double: {bookings} bookings")
        if final == "succeeded" and bookings != 1:
            wrong.append(f"wrong: succeeded, {bookings} bookings")
        if final in ("declined", "not_executed") and bookings:
            wrong.append(f"wrong: {final}, {bookings} bookings")
        if final == "no record" and bookings:
            wrong.append("lost: no record, but booked")
        if final in ("unknown", "processing"):
            if self.order.id not in self.function.unresolved():
                wrong.append("lost: not among the unresolved")
            if bookings:
                wrong.append("still unknown, though the provider shows it")
            elif self.order.operation in COMPLETE_LOOK_UP:
                wrong.append("still unknown, though the provider's look-up is complete")
        return wrong

    def end(self) -> None:
        """Note what came of it. An order that stays unknown leaves the table, so that it does not slow the next."""
        self.bookings_at_the_end, self.final_status, self.verdict = self.bookings, self.final, self.judge()
        if self.final_status in ("unknown", "processing"):
            self.function.forget(self.order.id)
