"""What a function does once, while Lambda starts it. So the first order does not wait for it.

Lambda names the kind of start in AWS_LAMBDA_INITIALIZATION_TYPE. Without this variable, nothing here does anything.
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
    """Pause the garbage collector: everything that is imported and built now is needed as long as the process lives.

    Also, pydantic does not search for plugins: none may change how orders are validated.
    """
    if _kind():
        gc.disable()
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def finish(*, reads: Iterable[Callable[[], object]], connects: Iterable[Callable[[], object]]) -> None:
    """Do what the first order would wait for. Then the garbage collector runs again, for later objects only.

    `reads` read what is the same in every copy of a snapshot. `connects` make the AWS clients. These hold the role's
    credentials, so they are not made before a snapshot: each restored copy makes its own.
    """
    kind = _kind()
    if not kind:
        return
    for read in reads:
        read()
    if kind == SNAPSHOT:
        # The waits between retries come from `random`, and restored copies must not all retry at the same times.
        _after_restore(random.seed, *connects)
    else:
        for connect in connects:
            connect()
    gc.freeze()
    gc.enable()


def meanwhile(work: Callable[[], T]) -> Callable[[], T]:
    """Begin work in another thread while the imports go on.

    It is for work that does not hold the interpreter, such as reading certificates. The function that is returned waits
    for the work and gives its result. If the work failed, that function does it again, so that its error reaches the
    caller.
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
