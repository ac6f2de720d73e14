"""Calls a function when a time is over. One thread does this for all timers of the process.

A timer of the standard library is a separate thread. One for every call to a provider took more processor time than all
else that Vezne adds to an order.
"""

import math
import threading
import time
from collections.abc import Callable


class Timer:
    """A time at which a function is called, unless the timer is cancelled."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.ends = time.monotonic() + seconds
        self.act = act


class TimerThread:
    """Keeps the timers. The thread lives as long as the process, and sleeps until a timer is over."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._timers: set[Timer] = set()
        self._wakes = math.inf
        self._thread: threading.Thread | None = None

    def schedule(self, seconds: float, act: Callable[[], None]) -> Timer:
        """Call `act`, which must not raise, in that many seconds and from another thread, unless cancelled before."""
        timer = Timer(seconds, act)
        with self._changed:
            self._timers.add(timer)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
                self._thread.start()
            elif timer.ends < self._wakes:
                self._changed.notify()
        return timer

    def cancel(self, timer: Timer) -> None:
        """Cancel a timer. When this returns, its function has either returned, or will never be called."""
        with self._changed:
            self._timers.discard(timer)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for timer in [timer for timer in self._timers if timer.ends <= now]:
                    self._timers.discard(timer)
                    timer.act()
                # Cancelling does not wake the thread. It may wake once for nothing, which is cheaper.
                self._wakes = min((timer.ends for timer in self._timers), default=math.inf)
                self._changed.wait(None if math.isinf(self._wakes) else self._wakes - now)
