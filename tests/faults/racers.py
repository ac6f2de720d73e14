"""Processes that make one write each, all let go together: what many function instances do at the same moment."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vezne.orders.breaker_item import BreakerItem, from_item
from vezne.orders.guards import Update
from vezne.orders.store import ConditionFailedError, Store
from vezne_cli.connection import aws_environment

# Of one process: its store, and the barrier before each write.
_own: dict[str, Any] = {}


class Racers:
    """As many processes as one likes, each with a client of its own."""

    def __init__(self, pool: Any, number: int) -> None:
        self._pool, self._number = pool, number

    def race(self, *updates: Update) -> list[BreakerItem | None]:
        """What stood there after each process's write, None where the condition did not hold; they take turns."""
        given = [updates[number % len(updates)] for number in range(self._number)]
        told: list[BreakerItem | None] = self._pool.map(_write, given, chunksize=1)
        return told


@contextmanager
def racing(url: str, table: str, number: int) -> Iterator[Racers]:
    """Start the processes, and end them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(number, _begin, (url, table, context.Barrier(number))) as pool:
        yield Racers(pool, number)


def _begin(url: str, table: str, barrier: Any) -> None:
    os.environ.update(aws_environment(url), TABLE_NAME=table)
    _own.update(store=Store(), barrier=barrier)


def _write(update: Update) -> BreakerItem | None:
    # Nobody is let go before everybody has a write: so each process makes one.
    _own["barrier"].wait()
    try:
        return from_item(_own["store"].update_item(update))
    except ConditionFailedError:
        return None
