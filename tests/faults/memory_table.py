"""A DynamoDB table in memory that evaluates the real condition and update expressions of the code under test.

It knows the calls that `vezne.orders.store` makes, and refuses all others. `test_memory_store.py` compares it with
MiniStack and DynamoDB Local, call by call.
"""

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]
_TOKENS = re.compile(r"<=|>=|<>|[<>=(),]|[#:]?[A-Za-z_][A-Za-z0-9_]*")
_CLAUSES = ("SET", "REMOVE", "ADD")


class MemoryTable:
    """The client's calls, on one table with any name.

    An attribute's value is never changed in place, so a shallow copy of an item is enough.
    """

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}

    def expire(self, now: float) -> list[str]:
        """Delete the expired items, as TTL does. Returns the ids of the records among them."""
        gone = [name for name, item in self.items.items() if "expires_at" in item and _number(item["expires_at"]) < now]
        for name in gone:
            del self.items[name]
        return [name for name in gone if name.startswith("op_")]

    def get_item(self, *, Key: Item, **_: Any) -> Item:  # noqa: N803
        item = self.items.get(Key["id"]["S"])
        return {"Item": dict(item)} if item else {}

    def query(
        self,
        *,
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Item,  # noqa: N803
        ScanIndexForward: bool = True,  # noqa: N803
        Limit: int = 1_000_000,  # noqa: N803
        ExclusiveStartKey: Item | None = None,  # noqa: N803
        Select: str = "ALL_PROJECTED_ATTRIBUTES",  # noqa: N803
        **request: Any,
    ) -> Item:
        """Query one of the two sparse indexes by partition."""
        partition, place, keys = INDEXES[request["IndexName"]]
        names = request.get("ExpressionAttributeNames", {})
        values = {"ExpressionAttributeValues": ExpressionAttributeValues, "ExpressionAttributeNames": names}
        found = [
            item
            for item in self.items.values()
            if item.get(partition) == ExpressionAttributeValues[":partition"]
            and keys <= item.keys()
            and _Condition(KeyConditionExpression, values, item).holds()
        ]
        found.sort(key=place, reverse=not ScanIndexForward)
        if ExclusiveStartKey:
            last = place(ExclusiveStartKey)
            found = [item for item in found if (place(item) > last if ScanIndexForward else place(item) < last)]
        page, more = found[:Limit], len(found) > Limit
        next_page = {"LastEvaluatedKey": {name: page[-1][name] for name in keys}} if more else {}
        condition = request.get("FilterExpression")
        left = [item for item in page if condition is None or _Condition(condition, values, item).holds()]
        items = {} if Select == "COUNT" else {"Items": [dict(item) for item in left]}
        return {**items, "Count": len(left), "ScannedCount": len(page), **next_page}

    def put_item(self, **request: Any) -> Item:
        return self._write_one({"Put": request})

    def update_item(self, **request: Any) -> Item:
        return self._write_one({"Update": request})

    def delete_item(self, **request: Any) -> Item:
        return self._write_one({"Delete": request})

    def transact_write_items(self, *, TransactItems: list[Item], **_: Any) -> Item:  # noqa: N803
        """Execute all writes or none, as the deployed table does."""
        names = [_name(write) for write in TransactItems]
        assert len(set(names)) == len(names), "two writes of one item in a transaction"
        reasons = [self._refusal(write) for write in TransactItems]
        if any(reason["Code"] != "None" for reason in reasons):
            raise _error("TransactionCanceledException", CancellationReasons=reasons)
        for write in TransactItems:
            self._apply(write)
        return {}

    def _write_one(self, write: Item) -> Item:
        reason = self._refusal(write)
        if reason["Code"] != "None":
            item = {"Item": reason["Item"]} if "Item" in reason else {}
            raise _error("ConditionalCheckFailedException", **item)
        self._apply(write)
        ((_, request),) = write.items()
        wanted = request.get("ReturnValues") == "ALL_NEW"
        return {"Attributes": dict(self.items[_name(write)])} if wanted else {}

    def _refusal(self, write: Item) -> Item:
        ((_, request),) = write.items()
        item = self.items.get(_name(write))
        condition = request.get("ConditionExpression")
        if condition is None or _Condition(condition, request, item or {}).holds():
            return {"Code": "None"}
        returned = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item
        return {"Code": "ConditionalCheckFailed", **({"Item": dict(item)} if returned and item else {})}

    def _apply(self, write: Item) -> None:
        ((kind, request),) = write.items()
        name = _name(write)
        if kind == "Put":
            self.items[name] = dict(request["Item"])
        elif kind == "Delete":
            self.items.pop(name, None)
        else:
            before = self.items.get(name, {"id": {"S": name}})
            self.items[name] = _updated(before, request)


def _place(item: Item) -> tuple[Decimal, str]:
    """The place of an item in its partition of the index."""
    return _number(item["next_look_up"]), item["id"]["S"]


# Of each index: its partition key, the order in a partition, and all its keys.
INDEXES: dict[str, tuple[str, Callable[[Item], tuple[Any, ...]], set[str]]] = {
    "unresolved-index": ("unresolved", _place, {"id", "unresolved", "next_look_up"}),
    "day-index": ("day", lambda item: (item["id"]["S"],), {"id", "day"}),
}


def _name(write: Item) -> str:
    ((kind, request),) = write.items()
    name: str = request["Item" if kind == "Put" else "Key"]["id"]["S"]
    return name


def _error(code: str, **more: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": code}, **more}
    return ClientError(answer, "write")


def _equal(left: Item, right: Item) -> bool:
    if left.keys() != right.keys():
        return False
    return left == right if "N" not in left else _number(left) == _number(right)


def _number(value: Item) -> Decimal:
    return Decimal(value["N"])


def _compared(left: Item, right: Item) -> tuple[bool, bool]:
    return _number(left) < _number(right), _number(left) == _number(right)


@functools.cache
def _tokens(expression: str) -> tuple[str, ...]:
    found = tuple(_TOKENS.findall(expression))
    assert "".join(found) == expression.replace(" ", ""), f"not understood: {expression}"
    return found


class _Operands:
    """The names and values of one request, for one item."""

    def __init__(self, expression: str, request: Item, item: Item) -> None:
        self._left = list(_tokens(expression))
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})
        self._item = item

    def next(self, *expected: str) -> str:
        token = self._left.pop(0)
        assert not expected or token in expected, f"{token} instead of {expected}"
        return token

    def peek(self) -> str:
        return self._left[0] if self._left else ""

    def name(self) -> str:
        token = self.next()
        name: str = self._names[token] if token[0] == "#" else token
        return name

    def operand(self) -> Item | None:
        if self.peek() == "if_not_exists":
            self.next()
            self.next("(")
            name = self.name()
            self.next(",")
            otherwise = self.operand()
            self.next(")")
            return self._item.get(name, otherwise)
        if self.peek()[0] == ":":
            value: Item = self._values[self.next()]
            return value
        return self._item.get(self.name())


class _Condition(_Operands):
    def holds(self) -> bool:
        result = self._either()
        assert not self._left, self._left
        return result

    def _either(self) -> bool:
        result = self._both()
        while self.peek() == "OR":
            self.next()
            result = self._both() or result
        return result

    def _both(self) -> bool:
        result = self._one()
        while self.peek() == "AND":
            self.next()
            result = self._one() and result
        return result

    def _one(self) -> bool:
        if self.peek() == "(":
            self.next()
            result = self._either()
            self.next(")")
            return result
        if self.peek() in ("attribute_exists", "attribute_not_exists"):
            wanted = self.next() == "attribute_exists"
            self.next("(")
            result = (self.name() in self._item) == wanted
            self.next(")")
            return result
        left, relation, right = self.operand(), self.next("=", "<>", "<", "<="), self.operand()
        if relation == "<>":
            # True also for an attribute that does not exist.
            return left is None or right is None or not _equal(left, right)
        # Any other comparison with a missing attribute is false.
        if left is None or right is None or left.keys() != right.keys():
            return False
        if relation == "=":
            return _equal(left, right)
        less, equal = (left["S"] < right["S"], left == right) if "S" in left else _compared(left, right)
        return less or (relation == "<=" and equal)


def _updated(before: Item, request: Item) -> Item:
    """The item after an update. Every right side is read from the item before the update."""
    after, left = dict(before), _Operands(request["UpdateExpression"], request, before)
    clause = ""
    while left.peek():
        if left.peek() in _CLAUSES:
            clause = left.next()
        elif left.peek() == ",":
            left.next()
        name = left.name()
        if clause == "REMOVE":
            after.pop(name, None)
        elif clause == "ADD":
            added = left.operand()
            assert added is not None
            ((kind, members),) = added.items()
            if kind == "N":
                after[name] = {"N": str(Decimal(before.get(name, {"N": "0"})["N"]) + Decimal(members))}
            else:
                after[name] = {kind: sorted({*before.get(name, {kind: []})[kind], *members})}
        else:
            left.next("=")
            value = left.operand()
            assert value is not None
            after[name] = value
    return after
