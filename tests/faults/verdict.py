"""Compares answers and records with the truth: what the sandbox booked."""

from dataclasses import dataclass, field

from tests.faults.environment import Answer, Died, Function
from tests.faults.orders import COMPLETE_LOOK_UP, Order

# The sweep runs after these times, in seconds on the functions' clock. The first is after the client's lease. The
# others are after each step of the back-off and after every operation's settling time.
RETRY_AT = 40
SWEEPS_AT = (120, 3000, 7200, 30000, 1_000_000)
DAY = 24 * 3600


@dataclass
class Trial:
    """One order under faults: what the client was told, what the table holds, what was booked."""

    function: Function
    order: Order
    late: bool = False
    told: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    # Whether the invocation reached the step at which it was to be killed.
    hit: bool = False
    # Where the clock of the next sweeps begins. A look-up that was postponed by a day is due again.
    ahead: int = 0
    bookings_at_the_end: int = 0
    final_status: str = ""
    verdict: list[str] = field(default_factory=list)

    @property
    def bookings(self) -> int:
        return self.order.times_booked(self.function.environment.sandbox)

    def send(self, **request: object) -> Answer | None:
        """Send the order as the client; None if the function was killed."""
        try:
            answer = self.function.call(self.order.event, **request)
        except Died:
            self.told.append("killed")
            return None
        self.check(answer)
        return answer

    def retry(self, clock: float, **request: object) -> None:
        """Send the order again: after the lease if there is a record, else at once."""
        self.send(clock=clock if self.function.record(self.order.id) else 0, **request)

    def sweep(self, **request: object) -> None:
        """Run the scheduled sweep of the order's shard. It may be killed, too."""
        try:
            answer = self.function.sweep(self.order.id, **request)
        except Died:
            self.told.append("sweep killed")
            return
        self.told.append("swept")
        if answer.raised:
            self.wrong.append(f"the sweep raised {answer.raised}")

    def sweep_until_quiet(self) -> None:
        """Sweep at each of the times, until the record is final or gone."""
        for seconds in SWEEPS_AT:
            record = self.function.record(self.order.id)
            if record is None or record.final:
                return
            self.let_late_bookings_fall_due()
            self.sweep(clock=self.ahead + seconds)
        self.ahead += SWEEPS_AT[-1] + DAY

    def let_late_bookings_fall_due(self) -> None:
        """Advance the provider's clock by the second that a late booking takes.

        Only if a booking is late. All trials share that clock, and it must stay near the functions' clock.
        """
        if self.late:
            self.function.environment.sandbox.advance_clock(1)

    def check(self, answer: Answer) -> None:
        """Check that an answer is true when it is given."""
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
        """The status in the table, or `no record`."""
        record = self.function.record(self.order.id)
        return record.status if record else "no record"

    def judge(self) -> list[str]:
        """Describe each contradiction of the promise; empty if there is none."""
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
            if bookings and not self.order.example.never_proved:
                wrong.append("still unknown, though the provider shows it")
            elif self.order.operation in COMPLETE_LOOK_UP:
                wrong.append("still unknown, though the provider's look-up is complete")
        return wrong

    def end(self) -> None:
        """Note the result. An order that stays unknown is set aside, so that later orders are not slower."""
        self.bookings_at_the_end, self.final_status, self.verdict = self.bookings, self.final, self.judge()
        if self.final_status in ("unknown", "processing"):
            self.function.set_aside(self.order.id)
