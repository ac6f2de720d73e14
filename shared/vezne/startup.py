"""What a function does once, while Lambda starts it, so that its first order does not wait for it.

Lambda names the kind of start in AWS_LAMBDA_INITIALIZATION_TYPE; where it is not set, nothing here happens.
"""

import gc
import os
import random
from collections.abc import Callable

SNAPSHOT = "snap-start"


def begin() -> None:
    """Pause the collection of cyclic garbage: all that is imported and built now stays for good."""
    if _kind():
        gc.disable()


def finish(*connects: Callable[[], object], disconnect: Callable[[], None]) -> None:
    """Make the clients that the first order needs, and let the collector run, but over later objects only.

    A snapshot holds no clients: they carry the role's credentials, so each restored copy makes its own.
    """
    kind = _kind()
    if not kind:
        return

    def connect() -> None:
        for make in connects:
            make()

    connect()
    if kind == SNAPSHOT:
        _follow_snapshot(connect, disconnect)
    gc.freeze()
    gc.enable()


def _follow_snapshot(connect: Callable[[], None], disconnect: Callable[[], None]) -> None:
    from snapshot_restore_py import register_after_restore, register_before_snapshot  # part of Lambda's runtime

    register_before_snapshot(disconnect)
    # The waits between retries come from this generator: restored copies must not retry in step.
    register_after_restore(random.seed)
    register_after_restore(connect)


def _kind() -> str:
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "")
