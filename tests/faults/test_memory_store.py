"""The store gives the same results on the table in memory as on MiniStack and DynamoDB Local."""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from vezne.orders import store as store_module
from vezne.orders.record import (
    DECLINED,
    LANES,
    NOT_EXECUTED,
    PROCESSING,
    SHARDS,
    SUCCEEDED,
    Record,
    StoredGuard,
    guard_id,
    to_item,
)
from vezne.orders.store import GuardRefusedError, LostOwnershipError, Store, StoreUnavailableError

from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable
from tests.faults.orders import seeded

CALLS = 400
GUARDS: tuple[tuple[StoredGuard, ...], ...] = (
    (),
    (StoredGuard("bill", keeps=True),),
    (StoredGuard("total", figures={"fee": 100, "expense": 200}, quiet_seconds=600),),
    (StoredGuard("total", figures={"fee": 100, "expense": 150}, quiet_seconds=600),),
    (StoredGuard("total", figures={"fee": 90, "expense": 100}, may_fall=True, quiet_seconds=600),),
    (StoredGuard("capture", remembers=("xact_id", "order_id")),),
    (StoredGuard("bill", keeps=True), StoredGuard("capture", remembers=("xact_id",))),
)


@pytest.fixture(params=["ministack", "dynamodb_local"])
def real_store(request: pytest.FixtureRequest) -> Callable[[Callable[[], float]], Store]:
    """The store on a new table of each engine."""
    made: Callable[[Callable[[], float]], Store] = request.getfixturevalue(f"{request.param}_store")
    return made


class Pair:
    """Both stores, their common clock, and their results."""

    def __init__(self, real: Callable[[Callable[[], float]], Store], chance: random.Random) -> None:
        self.now = 1_800_000_000.0
        self.chance = chance
        self.stores = (real(lambda: self.now), MemoryStore(MemoryTable(), lambda: self.now))
        self.held: list[Record] = []

    def do(self) -> tuple[str, Any, Any]:
        """Make one random call on both stores, also with stale records from earlier calls."""
        self.now += self.chance.choice([0, 1.25, 40, 700])
        self._lose_something()
        name = self.chance.choice(["claim", "claim", "acquire_lease", "finalise", "release", "mark_unknown", "find"])
        call = self._call(name)
        told = [self._outcome(call, store) for store in self.stores]
        for outcome in told[:1]:
            if isinstance(outcome, Record):
                self.held.append(outcome)
        return name, told[0], told[1]

    def _call(self, name: str) -> Callable[[Store], Any]:
        if name == "claim" or not self.held:
            record = self._new()
            self.held.append(record)
            return lambda store: store.claim(record)
        record = self.chance.choice(self.held)
        status = self.chance.choice([SUCCEEDED, DECLINED, NOT_EXECUTED])
        outcome = {"result": {"xact_id": f"x{self.chance.randrange(9)}"}} if status == SUCCEEDED else {}
        held = self.chance.random() < 0.1
        wait = self.chance.choice([60, 7200])
        owner, sending = f"owner-{self.chance.randrange(6)}", self.chance.random() < 0.5
        calls: dict[str, Callable[[Store], Any]] = {
            "acquire_lease": lambda store: store.acquire_lease(record, owner, self.now + 30, sending=sending),
            "finalise": lambda store: store.finalise(record, status, outcome, hold_guards=held),
            "release": lambda store: store.release(record),
            "mark_unknown": lambda store: store.mark_unknown(record, self.now + wait),
            "find": lambda store: store.find(record.id),
        }
        return calls[name]

    def _lose_something(self) -> None:
        """Sometimes let a record or a guard expire, or give a guard the form of an earlier version."""
        if not self.held or self.chance.random() > 0.1:
            return
        record = self.chance.choice(self.held)
        ids, old = [record.id], self.chance.random() < 0.3
        if self.chance.random() < 0.5:
            ids = [guard_id(record.operation, guard.key) for guard in record.guards]
        for store in self.stores:
            for lost in ids:
                key = {"TableName": store_module.table(), "Key": {"id": {"S": lost}}}
                if old and lost.startswith("guard#"):
                    store._call("update_item", **key, UpdateExpression="REMOVE marks_paid, holder_owner, paid")
                else:
                    store._call("delete_item", **key)

    def _new(self) -> Record:
        number = self.chance.randrange(25)
        # Several orders compete for each guard.
        guards = tuple(replace(guard, key=f"{guard.key}-{number // 12}") for guard in GUARDS[number % len(GUARDS)])
        return Record(
            id=f"op_{number}", operation="paynet.capture", principal="client", fingerprint="f", status=PROCESSING,
            owner=f"owner-{self.chance.randrange(6)}", lease_until=self.now + 30, may_arrive_until=self.now + 30,
            created_at=self.now, updated_at=self.now, lookup_fields={"amount": "1.00"}, guards=guards,
            next_look_up=self.now + 33,
        )  # fmt: skip

    @staticmethod
    def _outcome(call: Callable[[Store], Any], store: Store) -> Any:
        try:
            return call(store)
        except GuardRefusedError as refused:
            return {name: value for name, value in refused.held.items() if name not in ("id", "expires_at")}
        except LostOwnershipError:
            return "lost ownership"
        except StoreUnavailableError as unavailable:
            return str(unavailable)


@pytest.mark.parametrize("round_number", range(3))
def test_every_call_has_the_same_outcome(
    real_store: Callable[[Callable[[], float]], Store], seed: int, round_number: int
) -> None:
    pair = Pair(real_store, seeded(seed, f"memory store {round_number}"))
    outcomes = set()
    for _ in range(CALLS):
        name, real, memory = pair.do()
        assert memory == real, name
        outcomes.add((name, real if isinstance(real, str) else type(real).__name__))
    there, here = pair.stores
    for record_id in {record.id for record in pair.held}:
        left, right = there.find(record_id), here.find(record_id)
        assert (left and to_item(left)) == (right and to_item(right))
        assert left is None or there.memory(left) == here.memory(left)
    for record in pair.held:
        for guard in record.guards:
            name = guard_id(record.operation, guard.key)
            assert there.item(name) == here.item(name)
    assert set(map(str, there.unresolved("paynet.capture"))) == set(map(str, here.unresolved("paynet.capture")))
    assert (
        len({lane for lane in LANES for shard in range(SHARDS) if there.first_due("paynet.capture", lane, shard)}) == 2
    )
    for lane, shard, newest_first in itertools.product(LANES, range(SHARDS), (False, True)):
        left, right = (
            [item.id for item in it.due("paynet.capture", lane, shard, newest_first=newest_first)] for it in pair.stores
        )
        assert left == right
        for before in (pair.now, pair.now - 3600):
            assert there.count("paynet.capture", lane, shard, before) == here.count(
                "paynet.capture", lane, shard, before
            )
    # Every conditional call has succeeded at least once, and was refused at least once.
    assert {("claim", "NoneType"), ("claim", "Record"), ("claim", "dict"), ("acquire_lease", "Record"),
            ("acquire_lease", "lost ownership"), ("finalise", "Record"), ("finalise", "lost ownership"),
            ("release", "NoneType"), ("release", "lost ownership"), ("mark_unknown", "Record"),
            ("mark_unknown", "lost ownership")} <= outcomes  # fmt: skip
