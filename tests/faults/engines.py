"""The store on an engine of the test's choice."""

from collections.abc import Callable
from typing import Any

from vezne.orders.store import Store


class EngineStore(Store):
    """The store with the given DynamoDB client instead of the function's own."""

    def __init__(self, client: Any, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._given = client

    def _client(self) -> Any:
        return self._given
