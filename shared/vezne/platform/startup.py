"""What a function does once, while Lambda starts it, so that its first order does not wait for it.

Lambda names the kind of start in AWS_LAMBDA_INITIALIZATION_TYPE; where it is not set, nothing here happens.
"""

import contextlib
import functools
import gc
import os
import random
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

SNAPSHOT = "snap-start"


def begin() -> None:
    """Pause the collection of cyclic garbage: all that is imported and built now stays for good.

    And spare pydantic the search for plugins: none has a say in how orders are validated.
    """
    if _kind():
        gc.disable()
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def finish(*, reads: Iterable[Callable[[], object]], connects: Iterable[Callable[[], object]]) -> None:
    """Do what the first order would wait for, and let the collector run, but over later objects only.

    `reads` get what is the same for every copy of a snapshot. `connects` make the AWS clients, which hold the role's
    credentials: no snapshot has them, each restored copy makes its own.
    """
    kind = _kind()
    if not kind:
        return
    for read in reads:
        read()
    if kind == SNAPSHOT:
        # The waits between retries come from `random`, and restored copies must not retry in step.
        _after_restore(random.seed, *connects)
    else:
        for connect in connects:
            connect()
    gc.freeze()
    gc.enable()


def meanwhile(work: Callable[[], T]) -> Callable[[], T]:
    """Begin work that leaves the interpreter free, such as reading certificates, while the imports go on.

    What is returned gives its result, and waits for it if need be. Should the work fail, it is done again there, so
    that its error reaches the caller.
    """
    if not _kind():
        return functools.cache(work)
    results: list[T] = []

    def begin() -> None:
        with contextlib.suppress(Exception):
            results.append(work())

    def result() -> T:
        thread.join()
        return results[0] if results else work()

    thread = threading.Thread(target=begin, daemon=True)
    thread.start()
    return functools.cache(result)


def _after_restore(*calls: Callable[[], object]) -> None:
    from snapshot_restore_py import register_after_restore  # part of Lambda's runtime

    for call in calls:
        register_after_restore(call)


def _kind() -> str:
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "")
