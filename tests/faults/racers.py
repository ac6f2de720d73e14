"""Processes that make one write each at the same moment, as many function instances do."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vezne.orders.breaker_item import BreakerItem, from_item
from vezne.orders.guards import Update
from vezne.orders.store import ConditionFailedError
from vezne.platform.aws import client
from vezne_cli.connection import aws_environment

from tests.faults.engines import EngineStore

# An engine that 32 processes call at once may be slow. A call that the client repeats would be counted twice.
PATIENCE_SECONDS = 120.0

# One process has its store, and a barrier before each write.
_own: dict[str, Any] = {}


class Racers:
    """Any number of processes, each with its own client."""

    def __init__(self, pool: Any, number: int) -> None:
        self._pool, self._number = pool, number

    def race(self, *updates: Update) -> list[BreakerItem | None]:
        """The item after each process's write; None if its condition did not hold."""
        given = [updates[number % len(updates)] for number in range(self._number)]
        told: list[BreakerItem | None] = self._pool.map(_write, given, chunksize=1)
        return told


@contextmanager
def racing(url: str, table: str, number: int) -> Iterator[Racers]:
    """Start the processes, and end them at the end of the block."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(number, _begin, (url, table, context.Barrier(number))) as pool:
        yield Racers(pool, number)


def _begin(url: str, table: str, barrier: Any) -> None:
    os.environ.update(aws_environment(url), TABLE_NAME=table)
    patient = client("dynamodb", connect_seconds=PATIENCE_SECONDS, read_seconds=PATIENCE_SECONDS)
    _own.update(store=EngineStore(patient, time.time), barrier=barrier)


def _write(update: Update) -> BreakerItem | None:
    # No process continues until each has a write, so each process makes exactly one.
    _own["barrier"].wait()
    try:
        return from_item(_own["store"].update_item(update))
    except ConditionFailedError:
        return None
