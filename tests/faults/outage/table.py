"""The table in memory, fast enough for hundreds of thousands of records, and with the time its calls take."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from sortedcontainers import SortedList

from tests.faults.memory_table import Item, MemoryTable

CALL_SECONDS = 0.005
# To fetch and read one item of a Query's answer.
LISTED_ITEM_SECONDS = 0.0001
# To count one: a megabyte of them, 4,000, takes a call of its own.
COUNTED_ITEM_SECONDS = 0.01 / 4000
_UP_TO = re.compile(r"next_look_up <= (:\w+)")


class NotModelled(BaseException):
    """Something was asked of a model that it does not know."""


class Table(MemoryTable):
    """Evaluates the real expressions, as its parent; the index is kept sorted instead of searched.

    `takes`: told how many seconds each call takes. `changed`: told each item that is written, before and after.
    """

    def __init__(self, takes: Callable[[float], None], changed: Callable[[str, Item, Item], None]) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self._takes, self._changed = takes, changed
        self._partitions: dict[str, SortedList] = defaultdict(SortedList)

    def get_item(self, *, Key: Item, **_: Any) -> Item:  # noqa: N803
        self._called("get_item")
        item = self.items.get(Key["id"]["S"])
        return {"Item": item} if item else {}

    def query(self, **request: Any) -> Item:
        values, start = request["ExpressionAttributeValues"], request.get("ExclusiveStartKey")
        entries = self._partitions[values[":partition"]["S"]]
        due = _UP_TO.search(request["KeyConditionExpression"])
        last = len(entries) if due is None else entries.bisect_right((float(values[due[1]]["N"]), "\uffff"))
        first = entries.bisect_right((float(start["next_look_up"]["N"]), start["id"]["S"])) if start else 0
        backwards = request.get("ScanIndexForward") is False
        if backwards and start:
            first, last = 0, entries.bisect_left((float(start["next_look_up"]["N"]), start["id"]["S"]))
        names = [name for _, name in entries[first:last]]
        if request.get("Select") == "COUNT":
            return self._counted(names, request)
        if backwards:
            names.reverse()
        page = names[: request.get("Limit", len(names))]
        self._called("query", LISTED_ITEM_SECONDS * len(page))
        answer: Item = {"Items": [self.items[name] for name in page]}
        if len(page) < len(names):
            item = self.items[page[-1]]
            answer["LastEvaluatedKey"] = {name: item[name] for name in ("id", "unresolved", "next_look_up")}
        return answer

    def _counted(self, names: list[str], request: Item) -> Item:
        """How many entries there are, and how many of them the one filter lets through that the census has."""
        if request["FilterExpression"] != "created_at < :before":
            raise NotModelled(request["FilterExpression"])
        before = request["ExpressionAttributeValues"][":before"]["S"]
        self._called("query", COUNTED_ITEM_SECONDS * len(names))
        older = sum(self.items[name]["created_at"]["S"] < before for name in names)
        return {"Count": older, "ScannedCount": len(names)}

    def put_item(self, **request: Any) -> Item:
        self._called("put_item")
        return super().put_item(**request)

    def update_item(self, **request: Any) -> Item:
        self._called("update_item")
        return super().update_item(**request)

    def delete_item(self, **request: Any) -> Item:
        self._called("delete_item")
        return super().delete_item(**request)

    def transact_write_items(self, **request: Any) -> Item:
        self._called("transact_write_items")
        return super().transact_write_items(**request)

    def unresolved(self) -> int:
        """How many records have no certain outcome."""
        return sum(map(len, self._partitions.values()))

    def _write_one(self, write: Item) -> Item:
        try:
            return super()._write_one(write)
        except (AssertionError, LookupError) as error:
            # The code under test has an answer for every error: this one is not the table's, but of this model.
            raise NotModelled from error

    def _called(self, name: str, more: float = 0.0) -> None:
        self.calls[name] += 1
        self._takes(CALL_SECONDS + more)

    def _apply(self, write: Item) -> None:
        ((kind, request),) = write.items()
        name: str = request["Item" if kind == "Put" else "Key"]["id"]["S"]
        before = self.items.get(name, {})
        super()._apply(write)
        after = self.items.get(name, {})
        old, new = _listed(before), _listed(after)
        if old != new:
            if old:
                self._partitions[old[0]].remove((old[1], name))
            if new:
                self._partitions[new[0]].add((new[1], name))
        self._changed(name, before, after)


def _listed(item: Item) -> tuple[str, float] | None:
    """Partition and sort key in the sparse index."""
    if "unresolved" not in item or "next_look_up" not in item:
        return None
    return item["unresolved"]["S"], float(item["next_look_up"]["N"])
