"""A virtual clock that only events move, and calls that wait on it.

A handler is plain code that waits for its provider in the middle of a call. So each call needs its own stack. It has
the stack of a thread, used as a coroutine: only one thread ever runs, and the queue of events decides which. Nothing
sleeps. The same seed gives the same run.
"""

import heapq
import itertools
import threading
from collections.abc import Callable

# 2026-12-01T06:00:00Z, a Tuesday.
START = 1_796_104_800.0
# A handler's frames take much less. 1,000 of them wait at the same time.
STACK_BYTES = 1024 * 1024


class Abandoned(BaseException):
    """Ends the calls that still wait when a run is over."""


class Clock:
    """The time, the future events, and the calls that wait."""

    def __init__(self) -> None:
        self.now = START
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._until = START
        self._idle: list[_Strand] = []
        self._strands: list[_Strand] = []
        self._inside: _Strand | None = None
        self._loop = _taken_lock()
        self._failure: BaseException | None = None
        self._closing = False

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Schedule an event. Events at the same time happen in the order in which they were scheduled."""
        heapq.heappush(self._events, (max(when, self.now), next(self._numbers), act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.at(self.now + seconds, act)

    def run(self, until: float) -> None:
        """Run all events up to this time. Raises the error of any call or event."""
        self._until = until
        while self._events and self._events[0][0] <= until:
            self.now, _, act = heapq.heappop(self._events)
            act()
        self.now = until

    def begin(self, work: Callable[[], None]) -> None:
        """Start a call that may wait. Returns at its first wait, or at its end."""
        if not self._idle:
            self._strands.append(_Strand(self))
            self._idle.append(self._strands[-1])
        strand = self._idle.pop()
        strand.work = work
        self._resume(strand)

    def wait(self, seconds: float) -> None:
        """Wait inside a call. Other calls run meanwhile."""
        wakes = self.now + seconds
        if wakes <= self._until and (not self._events or self._events[0][0] > wakes):
            # No other event comes before then.
            self.now = wakes
            return
        strand = self._inside
        assert strand is not None, "only a call can wait"
        self.at(wakes, lambda: self._resume(strand))
        self._loop.release()
        strand.turn.acquire()
        if self._closing:
            raise Abandoned

    def close(self) -> None:
        """End all calls that still wait."""
        self._closing = True
        self._events.clear()
        for strand in self._strands:
            strand.turn.release()
            strand.join()

    def _resume(self, strand: "_Strand") -> None:
        self._inside = strand
        strand.turn.release()
        self._loop.acquire()
        self._inside = None
        if self._failure is not None:
            raise self._failure

    def ended(self, strand: "_Strand", failure: BaseException | None) -> None:
        """Called by a strand whose call has ended."""
        self._failure = failure
        self._idle.append(strand)
        self._loop.release()

    @property
    def closing(self) -> bool:
        return self._closing


class _Strand(threading.Thread):
    """A stack that runs one call after the other."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(daemon=True)
        self.work: Callable[[], None] = lambda: None
        self.turn = _taken_lock()
        self._clock = clock
        before = threading.stack_size(STACK_BYTES)
        try:
            self.start()
        finally:
            threading.stack_size(before)

    def run(self) -> None:
        while True:
            self.turn.acquire()
            if self._clock.closing:
                return
            failure: BaseException | None = None
            try:
                self.work()
            except Abandoned:
                return
            except BaseException as error:
                failure = error
            self._clock.ended(self, failure)


def _taken_lock() -> threading.Lock:
    """A lock that the next `acquire` waits for."""
    lock = threading.Lock()
    lock.acquire()
    return lock
