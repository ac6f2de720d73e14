"""The network between the functions and their table: it loses writes and answers, delays, doubles and refuses.

It replaces botocore's client, over a `MemoryTable` that evaluates the real expressions. There is one thread. The caller
chooses, write by write, which invocation runs in between.
"""

import copy
import functools
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.faults.in_process import FEW_SHARDS
from tests.faults.memory_table import Item, MemoryTable

# The SDK tries each call twice; see `vezne.platform.aws.client`.
ATTEMPTS = 2
LOST, UNANSWERED, LATE, DOUBLED = "lost", "unanswered", "late", "doubled"
CONFLICT, MASKED, REFUSED = "conflict", "masked", "refused"
FAULTS = (LOST, UNANSWERED, LATE, DOUBLED, CONFLICT, MASKED, REFUSED)
FAULTS_OF = {
    "get_item": (LOST,),
    "query": (LOST,),
    "put_item": (LOST, UNANSWERED, LATE, DOUBLED, REFUSED),
    "update_item": (LOST, UNANSWERED, LATE, DOUBLED, REFUSED),
    "delete_item": (LOST, UNANSWERED, LATE, DOUBLED, REFUSED),
    "transact_write_items": FAULTS,
}
# The probability that a delayed write arrives before the next call.
ARRIVES = 0.4


class Network:
    """The network of all functions of a run. `step` is called with a name before and after each attempt."""

    def __init__(self, table: MemoryTable, chance: random.Random, rate: float, step: Callable[[str], None]) -> None:
        self._table, self._chance, self._step = table, chance, step
        self.rate = rate
        # Each run has few kinds of fault. With all kinds, two of one kind in a row would hardly ever happen.
        self._kinds = chance.sample(FAULTS, chance.randint(1, 4))
        self.happened: Counter[str] = Counter()
        self._on_the_way: list[tuple[str, Item]] = []
        self._tokens: set[str] = set()
        for name in FAULTS_OF:
            setattr(self, name, functools.partial(self._call, name))

    def arrive(self, probability: float = 1.0) -> None:
        """Let delayed writes reach the table. The table decides whether they still change anything."""
        waiting, self._on_the_way = self._on_the_way, []
        for name, request in waiting:
            if self._chance.random() >= probability:
                self._on_the_way.append((name, request))
                continue
            try:
                self._apply(name, request)
                self.happened["arrived"] += 1
            except ClientError:
                self.happened["arrived without effect"] += 1

    def _call(self, name: str, /, **request: Any) -> Item:
        for _ in range(ATTEMPTS):
            self._step(f"{name}.before")
            self.arrive(ARRIVES)
            # A sweep queries the index several times before it does anything else.
            rate = self.rate / FEW_SHARDS if name == "query" else self.rate
            kinds = [kind for kind in self._kinds if kind in FAULTS_OF[name]]
            fault = self._chance.choice(kinds) if kinds and self._chance.random() < rate else ""
            answer = self._attempt(name, request, fault)
            self._step(f"{name}.after")
            if answer is not None:
                return answer
        raise ReadTimeoutError(endpoint_url="table")

    def _attempt(self, name: str, request: Item, fault: str) -> Item | None:
        """The answer; None if it is lost. Raises ClientError."""
        self.happened[fault or "no fault"] += 1
        match fault:
            case "lost":
                return None
            case "late" | "doubled":
                self._on_the_way.append((name, copy.deepcopy(request)))
                if fault == LATE:
                    return None
            case "refused":
                raise _error("ValidationException")
            case "conflict":
                reasons = [{"Code": "None"} for _ in request["TransactItems"]]
                self._chance.choice(reasons)["Code"] = "TransactionConflict"
                raise _error("TransactionCanceledException", CancellationReasons=reasons)
        try:
            answer = self._apply(name, request)
        except ClientError as error:
            if fault == UNANSWERED:
                return None
            raise _masked(error, request) if fault == MASKED else error from None
        return None if fault == UNANSWERED else answer

    def _apply(self, name: str, request: Item) -> Item:
        """Apply a request to the table. A transaction that was executed before is known by its token."""
        token = request.get("ClientRequestToken")
        if token in self._tokens:
            return {}
        answer: Item = getattr(self._table, name)(**request)
        if token:
            self._tokens.add(token)
        return answer


def _masked(error: ClientError, request: Item) -> ClientError:
    """A conflict on the order's record hides that the record exists, while one of its guards refuses, too."""
    reasons: Any = error.response.get("CancellationReasons", [])
    put = request["TransactItems"][0].get("Put")
    refused = any(reason["Code"] == "ConditionalCheckFailed" for reason in reasons[1:])
    if put and reasons[0]["Code"] == "ConditionalCheckFailed" and refused:
        reasons[0] = {"Code": "TransactionConflict"}
    return error


def _error(code: str, **members: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": ""}, **members}
    return ClientError(answer, "call")
