"""The real store on a table in memory, for tests that need thousands of runs in one thread."""

from collections.abc import Callable
from typing import Any

from vezne.orders.store import Store

from tests.faults.memory_table import MemoryTable


class MemoryStore(Store):
    """One invocation's view of the table. Invocations may have different clocks."""

    def __init__(self, table: MemoryTable, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._memory = table

    def _client(self) -> Any:
        return self._memory
