"""The sweeps of `make serve`: what a schedule starts on AWS every few minutes comes every few seconds here."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .catalogue import ORDERS
from .golden import golden_event
from .processes import Progress, StackError
from .stack import Stack

VARIABLE = "VEZNE_SWEEP_SECONDS"
USUAL_SECONDS = 5.0
MOST_SECONDS = 86_400


def seconds_between() -> float:
    """The seconds between two sweeps of an operation, 0 for no sweeps; raises StackError if they are no such number."""
    asked = os.environ.get(VARIABLE) or str(USUAL_SECONDS)
    if not (asked.isascii() and asked.replace(".", "", 1).isdecimal() and float(asked) <= MOST_SECONDS):
        raise StackError(f"{VARIABLE}={asked} is no number of seconds: take 0 (no sweeps) to {MOST_SECONDS}, like 5.")
    return float(asked)


@contextmanager
def sweeping(stack: Stack, seconds: float, say: Progress) -> Iterator[None]:
    """Sweep all operations every so many seconds until the end of the block. It says what a sweep found."""
    if not seconds:
        say(f"no sweeps: an unknown outcome waits for the next request ({VARIABLE} is 0)")
        yield
        return
    say(f"sweeping for unknown outcomes every {seconds:g} s ({VARIABLE}=n changes that, 0 stops it)")
    over = threading.Event()

    # Each of them means one worker that has every shard; on AWS several have some each.
    events = {name: golden_event(name, "sweep") for name in ORDERS}

    def sweep_all() -> None:
        while not over.wait(seconds):
            for operation, event in events.items():
                if not over.is_set():
                    _sweep(stack, operation, event, say)

    thread = threading.Thread(target=sweep_all, name="sweeps", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _sweep(stack: Stack, operation: str, event: dict[str, Any], say: Progress) -> None:
    """One sweep. One that fails is told, and the next one comes."""
    try:
        report = stack.invoke(operation, event)
    except (RuntimeError, BotoCoreError, ClientError) as error:
        say(f"sweep of {operation}: {error}")
        return
    found = {name: count for name, count in (report or {}).items() if count}
    if found:
        say(f"sweep of {operation}: {', '.join(f'{name} {count}' for name, count in found.items())}")
