"""A table whose writes are lost, late or doubled, and whose callers are killed or come between one another."""

import copy
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from tests.faults.function import Killed
from tests.faults.memory_table import Item, MemoryTable

# What happens to a write, and how often in a hundred; the others go through.
WRITES = {
    "lost before": 7, "lost after": 7, "late": 7, "doubled": 7, "conflict": 3, "killed before": 3, "killed after": 3,
    "nested before": 5, "nested after": 5,
}  # fmt: skip
LOST_READS = 4
# A write that is late is applied after so many later writes at most.
LATEST = 6
DEEPEST = 3


class ChaoticTable(MemoryTable):
    """The faults happen while `depth` says that a function runs; what looks at the table from outside sees it whole."""

    def __init__(self, chance: random.Random, between: Callable[[], None]) -> None:
        super().__init__()
        self._chance, self._between = chance, between
        self.depth = 0
        self.happened: Counter[str] = Counter()
        self._late: list[tuple[int, str, Item]] = []

    def get_item(self, **request: Any) -> Item:
        if self.depth and self._chance.random() * 100 < LOST_READS:
            self.happened["lost read"] += 1
            raise ReadTimeoutError(endpoint_url="table")
        return super().get_item(**request)

    def put_item(self, **request: Any) -> Item:
        return self._write("put_item", request)

    def update_item(self, **request: Any) -> Item:
        return self._write("update_item", request)

    def delete_item(self, **request: Any) -> Item:
        return self._write("delete_item", request)

    def transact_write_items(self, **request: Any) -> Item:
        return self._write("transact_write_items", request)

    def land(self) -> None:
        """Apply every write that is still on its way, in any order."""
        late, self._late = self._late, []
        self._chance.shuffle(late)
        for _, name, request in late:
            self._apply_late(name, request)

    def _write(self, name: str, request: Item) -> Item:
        if not self.depth:
            return self._obey(name, request)
        self._land_what_is_due()
        what = self._choose(name)
        self.happened[what] += 1
        if what in ("late", "doubled"):
            self._late.append((self._chance.randint(0, LATEST), name, copy.deepcopy(request)))
        self._before(what, request)
        answer = self._obey(name, request)
        if what == "lost after":
            raise ReadTimeoutError(endpoint_url="table")
        if what == "killed after":
            raise Killed
        if what == "nested after":
            self._between()
        return answer

    def _before(self, what: str, request: Item) -> None:
        if what in ("late", "lost before"):
            raise ConnectTimeoutError(endpoint_url="table")
        if what == "killed before":
            raise Killed
        if what == "nested before":
            self._between()
        if what == "conflict":
            reasons = [{"Code": "None"} for _ in request["TransactItems"]]
            self._chance.choice(reasons)["Code"] = "TransactionConflict"
            answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(answer, "TransactWriteItems")

    def _choose(self, name: str) -> str:
        drawn = self._chance.random() * 100
        for what, weight in WRITES.items():
            drawn -= weight
            if drawn < 0:
                unfit = (what == "conflict" and not name.startswith("transact")) or (
                    what.startswith("nested") and self.depth >= DEEPEST
                )
                return "none" if unfit else what
        return "none"

    def _land_what_is_due(self) -> None:
        waiting = [(writes - 1, name, request) for writes, name, request in self._late]
        self._late = [late for late in waiting if late[0] >= 0]
        for writes, name, request in waiting:
            if writes < 0:
                self._apply_late(name, request)

    def _apply_late(self, name: str, request: Item) -> None:
        with suppress(ClientError):
            self._obey(name, request)

    def _obey(self, name: str, request: Item) -> Item:
        answer: Item = getattr(super(), name)(**request)
        return answer
