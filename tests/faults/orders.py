"""Orders of each operation, each with a mark of its own."""

import itertools
import random

from tests.support.operations import of
from tests.support.order import AT_THE_PROVIDER, COMPLETE_LOOK_UP, PAID_ONCE, Order

__all__ = ["AT_THE_PROVIDER", "COMPLETE_LOOK_UP", "PAID_ONCE", "Order", "new_order", "seeded"]

# Names within one run of the tests; the table and the sandboxes start empty.
_numbers = itertools.count(1)


def new_order(operation: str, amount: str | None = None) -> Order:
    """An order nobody has sent before. The amounts of two orders differ unless one is given."""
    number = next(_numbers)
    return of(operation).order(f"mark-{number}", amount or f"{100 + number % 800}.{number % 100:02d}")


def seeded(seed: int, name: str) -> random.Random:
    """A random source of its own for one test, so that the order of tests does not matter."""
    return random.Random(f"{seed} {name}")
