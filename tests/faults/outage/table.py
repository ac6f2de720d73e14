"""The table in memory. It is fast with many records, and its calls take time on the virtual clock."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from sortedcontainers import SortedList

from tests.faults.memory_table import Item, MemoryTable

CALL_SECONDS = 0.005
# Seconds to fetch and read one item of a Query's answer.
LISTED_ITEM_SECONDS = 0.0001
# Seconds to count one item: a call counts a megabyte of them, 4,000.
COUNTED_ITEM_SECONDS = 0.01 / 4000
_UP_TO = re.compile(r"next_look_up <= (:\w+)")


class NotModelled(BaseException):
    """A model does not know what it was asked for."""


class Table(MemoryTable):
    """Evaluates the real expressions, like its parent. The index is kept sorted, so it need not be searched.

    `takes` gets the seconds that each call takes. `changed` gets each item that is written, before and after the write.
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
        """The number of entries, and of those that the filter accepts. Only the census uses a filter."""
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
        """The number of records that are not final."""
        return sum(map(len, self._partitions.values()))

    def _write_one(self, write: Item) -> Item:
        try:
            return super()._write_one(write)
        except (AssertionError, LookupError) as error:
            # An error of this model, not of the table. The code under test would treat it as an error of the table.
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
    """The partition key and sort key in the sparse index."""
    if "unresolved" not in item or "next_look_up" not in item:
        return None
    return item["unresolved"]["S"], float(item["next_look_up"]["N"])
