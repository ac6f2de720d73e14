"""The breaker as one function instance sees it: whether the provider may be called, and what the calls came to.

While all is well it costs nothing: its item is read as seldom as the secret is. An instance that knows of trouble reads
it before each order, at most once a second. If the table does not answer, what was known last goes on.
"""

import contextlib
import math
import random
from collections.abc import Iterator
from typing import Any

from vezne.orders import breaker_item
from vezne.orders.breaker_item import CLOSED, LEASE_SECONDS, OPEN, TRIAL, BreakerItem, breaker_id, from_item
from vezne.orders.guards import Update
from vezne.orders.outcome import NotSent, Outcome, Unknown
from vezne.orders.store import ConditionFailedError, Store, StoreUnavailableError
from vezne.platform.telemetry import emit_of_provider, logger
from vezne.platform.timers import TimerThread
from vezne.providers.client import Client, InquiryLoginRefusedError, InquiryRefusedError
from vezne.providers.credentials import SECRET_SECONDS, CredentialsRefusedError
from vezne.providers.http import FINALISE_SECONDS, READ_SECONDS, Deadline

# A call that takes longer is reported as bad while it still runs. So a silent provider is known before the call times
# out.
SLOW_SECONDS = 6.0
SECONDS_BETWEEN_READS = 1.0
# With a bad end, one good end of the same instance is reported, if it is not older than this. Else a fleet in which
# each instance sometimes fails would show no success at all.
OWN_GOOD_SECONDS = 10.0
# A write may take as long if the table does not answer; an order's own answer must not be late for it.
REPORT_SECONDS = 4.0
LONGEST_WAIT_SECONDS = 300.0
_TRIES = 4
STATE_FIGURES = {CLOSED: 0, TRIAL: 1, OPEN: 2}
_timers = TimerThread()
_breakers: dict[str, "Breaker"] = {}


def breaker_of(operation: str, client: Client[Any]) -> "Breaker":
    """The breaker of an operation's provider, the same for all calls in this process."""
    provider = operation.partition(".")[0]
    found = _breakers.setdefault(provider, Breaker(provider))
    found.client = client
    return found


def forget() -> None:
    """Know nothing, as a new function instance does."""
    _breakers.clear()


class Breaker:
    """One provider's breaker. An instance of a function makes one call at a time."""

    client: Client[Any]

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.known = BreakerItem()
        self._read_at = -math.inf
        # Whether this instance's last call ended badly, and when its last good end that was not told was.
        self._failing = False
        self._good_at = -math.inf
        # The current call: its start, its trial if it is one, and the window in which it was reported as slow.
        self._started = 0.0
        self._trial: BreakerItem | None = None
        self._marked: int | None = None

    def admit(self, deadline: Deadline, store: Store) -> int | None:
        """None if an order may be sent now, else the seconds after which it may be tried again.

        Probes if it is time to, and may make the order a trial: then `end` or `leave` must follow.
        """
        self._started = store.now()
        with self._as_known():
            self._refresh(store)
            for _ in range(_TRIES):
                if self.known.state == OPEN and not self._probe(deadline, store):
                    break
                if not self.known.stops:
                    return None
                if self.known.state == TRIAL and self._begin_trial(deadline, store):
                    return None
        if not self.known.stops:
            return None
        emit_of_provider("BreakerRefused", self.provider)
        self._emit_state()
        return self._wait(store.now())

    def stops_for(self, store: Store) -> int | None:
        """As `admit`, for a dry run: it neither probes nor becomes a trial."""
        with self._as_known():
            self._refresh(store)
        return self._wait(store.now()) if self.known.state == OPEN else None

    def may_look_up(self, deadline: Deadline, store: Store) -> bool:
        """Whether a sweep may ask the provider now. If the breaker is open, a probe is all that it may do."""
        with self._as_known():
            self._refresh(store)
            if self.known.state == OPEN:
                self._probe(deadline, store)
        self._emit_state()
        return self.known.state != OPEN

    @contextlib.contextmanager
    def call(self, store: Store) -> Iterator[None]:
        """Watch a call that has been admitted: one that is slow is told as bad while it goes on."""
        self._started = store.now()
        # A trial has its own end, and of a breaker that is not closed nothing is counted.
        timer = None if self.known.state != CLOSED else _timers.schedule(SLOW_SECONDS, lambda: self.mark_as_slow(store))
        try:
            yield
        finally:
            if timer is not None:
                _timers.cancel(timer)

    def mark_as_slow(self, store: Store) -> None:
        """Tell a call that is still under way as bad. Called from the thread of the timers."""
        try:
            if self._report(store, bad=1, ok=0, slow=True):
                self._marked = self.known.window
                self._trip_if_sick(store)
        except Exception as error:
            logger.warning("slow call not told", provider=self.provider, exception_name=type(error).__name__)

    def end(self, outcome: Outcome, deadline: Deadline, store: Store) -> None:
        """Tell what a call came to, once its outcome is kept."""
        if isinstance(outcome, NotSent) and not outcome.provider_failed:
            return
        self.tell(deadline, store, good=not isinstance(outcome, NotSent | Unknown))

    def tell(self, deadline: Deadline, store: Store, *, good: bool) -> None:
        """Tell whether the provider did its part."""
        was_failing, self._failing = self._failing, not good
        trial, self._trial = self._trial, None
        marked, self._marked = self._marked, None
        if deadline.left() < REPORT_SECONDS:
            return
        slow = store.now() - self._started >= SLOW_SECONDS
        with self._as_known():
            if trial is not None:
                self._end_trial(trial, store, good=good, slow=slow)
            elif self.known.state != CLOSED:
                return
            elif not good and marked is None:
                own = store.now() - self._good_at <= OWN_GOOD_SECONDS
                self._good_at = -math.inf
                self._report(store, bad=1, ok=int(own))
                self._trip_if_sick(store)
            elif good and (slow or was_failing):
                # What was told two windows ago has been forgotten.
                stands = marked is not None and store.now() // breaker_item.WINDOW_SECONDS <= marked + 1
                self._report(store, bad=-int(stands), ok=1, slow=slow)
            elif good:
                self._good_at = store.now()

    def leave(self, store: Store) -> None:
        """Let go of a trial that told nothing: the order was not sent, or stood there already."""
        trial, self._trial, self._marked = self._trial, None, None
        if trial is not None:
            with self._as_known():
                self._change(breaker_item.give_back(self.provider, trial), store)

    def _refresh(self, store: Store) -> None:
        """Read the item if what is known is too old."""
        fresh = SECONDS_BETWEEN_READS if self.known.stops or self._failing else SECRET_SECONDS
        now = store.now()
        if 0 <= now - self._read_at < fresh:
            return
        self._read_at = now
        self._learn(store.item(breaker_id(self.provider)), now)

    def _learn(self, item: dict[str, Any], now: float) -> None:
        self.known, self._read_at = from_item(item), now

    def _change(self, update: Update, store: Store) -> bool:
        """Make a write; whether its condition held. Either way it is known then what stands there."""
        try:
            self._learn(store.update_item(update), store.now())
        except ConditionFailedError as failed:
            self._learn(failed.item, store.now())
            return False
        return True

    def _report(self, store: Store, *, bad: int, ok: int, slow: bool = False) -> bool:
        """Add to the counts; whether it was done. What began before the last opening or closing is left out."""
        for _ in range(_TRIES):
            now = store.now()
            update = breaker_item.report(
                self.provider, self.known, now, bad=bad, ok=ok, started=self._started, slow=slow
            )
            if self._change(update, store):
                return True
            quiet = slow and bad > 0 and self.known.slow_ok >= now - breaker_item.SLOW_IS_WELL_SECONDS
            if self.known.state != CLOSED or self.known.since >= self._started or quiet:
                return False
        return False

    def _trip_if_sick(self, store: Store) -> None:
        now = store.now()
        if (
            self.known.state == CLOSED
            and self.known.is_sick(now)
            and self._change(breaker_item.trip(self.provider, now), store)
        ):
            logger.error("breaker opened", provider=self.provider)
            emit_of_provider("BreakerOpened", self.provider)
            self._emit_state()

    def _probe(self, deadline: Deadline, store: Store) -> bool:
        """Ask the provider if it is time to; whether it answered, or somebody else has found that it does."""
        began = store.now()
        if began < self.known.until or self.known.is_leased(began) or not deadline.allows_a_call():
            return False
        mine = self._take(began, store)
        if mine is None:
            return self.known.state != OPEN
        good = self._is_answered(deadline)
        emit_of_provider("BreakerProbe", self.provider, int(good))
        logger.warning("probe", provider=self.provider, status="answered" if good else "failed")
        self._change(breaker_item.end_probe(self.provider, mine, store.now(), began=began, good=good), store)
        self._emit_state()
        return self.known.state != OPEN

    def _is_answered(self, deadline: Deadline) -> bool:
        """Whether an inquiry is answered; a refusal is an answer. It is tried once, never twice.

        It waits as long as an order does: a provider that is only slow answers orders, too.
        """
        self.client.provider.failing = True
        try:
            if self.client.probe:
                self.client.probe(deadline.with_patience(READ_SECONDS))
        except (InquiryRefusedError, InquiryLoginRefusedError, CredentialsRefusedError):
            return True
        except Exception as error:
            logger.warning("probe failed", provider=self.provider, exception_name=type(error).__name__)
            return False
        return True

    def _begin_trial(self, deadline: Deadline, store: Store) -> bool:
        """Make the order a trial, if no other order is one and a slow probe has left enough time for it."""
        now = store.now()
        if not self.known.is_leased(now) and deadline.left() >= READ_SECONDS + FINALISE_SECONDS:
            self._trial = self._take(now, store)
        return self._trial is not None

    def _take(self, now: float, store: Store) -> BreakerItem | None:
        taken = self._change(breaker_item.take(self.provider, self.known, now, now + LEASE_SECONDS), store)
        return self.known if taken else None

    def _end_trial(self, mine: BreakerItem, store: Store, *, good: bool, slow: bool) -> None:
        self._change(breaker_item.end_trial(self.provider, mine, store.now(), good=good, slow=slow), store)
        logger.warning("trial", provider=self.provider, status=self.known.state)
        self._emit_state()

    def _wait(self, now: float) -> int:
        """Seconds until it may be worth trying again. Not the same for everybody: they would come back together."""
        left = self.known.until - now if self.known.state == OPEN else 0.0
        return math.ceil(min(max(left, 0.0), LONGEST_WAIT_SECONDS) + random.uniform(1, 5))  # noqa: S311 # nosec B311

    def _emit_state(self) -> None:
        emit_of_provider("BreakerState", self.provider, STATE_FIGURES.get(self.known.state, 0))

    @contextlib.contextmanager
    def _as_known(self) -> Iterator[None]:
        """Should the table not answer, what is known stays. Whatever fails here, the order's own outcome stands."""
        try:
            yield
        except Exception as error:
            reason = str(error) if isinstance(error, StoreUnavailableError) else type(error).__name__
            logger.warning("breaker not reached", provider=self.provider, reason=reason)
