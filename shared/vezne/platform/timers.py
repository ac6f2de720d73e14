"""Calls back when a time limit is over, for all limits of the process from one thread.

A timer of the standard library is a thread of its own. Starting and ending one for every call to a provider took more
processor time than all else that Vezne adds to an order.
"""

import math
import threading
import time
from collections.abc import Callable


class Limit:
    """One time limit, until it is over or lifted."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.ends = time.monotonic() + seconds
        self.act = act


class Watch:
    """Keeps the limits. The thread lives as long as the process, asleep unless a limit is over."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limits: set[Limit] = set()
        self._wakes = math.inf
        self._thread: threading.Thread | None = None

    def set(self, seconds: float, act: Callable[[], None]) -> Limit:
        """Call `act`, which must not raise, in that many seconds and from another thread, unless lifted before."""
        limit = Limit(seconds, act)
        with self._changed:
            self._limits.add(limit)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()
            elif limit.ends < self._wakes:
                self._changed.notify()
        return limit

    def lift(self, limit: Limit) -> None:
        """Forget a limit. When this returns, it has either been acted upon in full or never will be."""
        with self._changed:
            self._limits.discard(limit)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for limit in [limit for limit in self._limits if limit.ends <= now]:
                    self._limits.discard(limit)
                    limit.act()
                # A limit lifted meanwhile leaves a needless awakening behind, which costs less than one at each call.
                self._wakes = min((limit.ends for limit in self._limits), default=math.inf)
                self._changed.wait(None if math.isinf(self._wakes) else self._wakes - now)
