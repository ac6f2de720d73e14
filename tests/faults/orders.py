"""Orders of each operation. Each has its own mark."""

import itertools
import random

from tests.support.operations import of
from tests.support.order import AT_THE_PROVIDER, COMPLETE_LOOK_UP, PAID_ONCE, Order

__all__ = ["AT_THE_PROVIDER", "COMPLETE_LOOK_UP", "PAID_ONCE", "Order", "new_order", "seeded"]

# Names are unique within one run, since the table and the sandboxes start empty.
_numbers = itertools.count(1)


def new_order(operation: str, amount: str | None = None) -> Order:
    """A new order. The amounts of two orders differ unless one is given."""
    number = next(_numbers)
    return of(operation).order(f"mark-{number}", amount or f"{100 + number % 800}.{number % 100:02d}")


def seeded(seed: int, name: str) -> random.Random:
    """A random source for one test, so that the order of tests does not matter."""
    return random.Random(f"{seed} {name}")
