"""Races of threads for claims, guards, take-overs and transitions, on MiniStack and DynamoDB Local."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from vezne.orders import store as store_module
from vezne.orders.record import (
    DECLINED,
    FRESH,
    NOT_EXECUTED,
    OLD,
    PROCESSING,
    SHARDS,
    SUCCEEDED,
    UNKNOWN,
    Record,
    StoredGuard,
    guard_id,
    plain,
)
from vezne.orders.store import GuardRefusedError, LostOwnershipError, Store, table

CONTENDERS = 8
ROUNDS = 15
NOW = 1_800_000_000.0
BILL, PART = StoredGuard("bill", keeps=True), StoredGuard("part", remembers=("xact_id",))


@pytest.fixture(params=["ministack", "dynamodb_local"])
def store(request: pytest.FixtureRequest) -> Store:
    made: Callable[[Callable[[], float]], Store] = request.getfixturevalue(f"{request.param}_store")
    return made(lambda: NOW)


def record(name: str, owner: str, *guards: StoredGuard) -> Record:
    return Record(
        id=f"op_{name}", operation="paynet.capture", principal="client", fingerprint="f", status=PROCESSING,
        owner=owner, lease_until=NOW + 30, may_arrive_until=NOW + 30, created_at=NOW, updated_at=NOW,
        lookup_fields={"amount": "1.00"}, guards=guards, next_look_up=NOW + 33,
    )  # fmt: skip


def keyed(number: int, *guards: StoredGuard) -> tuple[StoredGuard, ...]:
    return tuple(replace(guard, key=f"{guard.key}-{number}") for guard in guards)


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """The result or error of each call. All start at the same moment."""
    jobs = list(calls)
    barrier = Barrier(len(jobs))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return call()
        except (GuardRefusedError, LostOwnershipError) as error:
            return error

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def guard_item(store: Store, holder: Record, guard: StoredGuard) -> dict[str, Any]:
    return plain(store.item(guard_id(holder.operation, guard.key)))


@pytest.mark.parametrize("guards", [(), (BILL,), (BILL, PART)], ids=["no guard", "one guard", "two guards"])
def test_one_of_many_claims_of_a_record_wins(store: Store, guards: tuple[StoredGuard, ...]) -> None:
    for number in range(ROUNDS):
        claims = [record(f"{number}", f"owner-{one}", *keyed(number, *guards)) for one in range(CONTENDERS)]
        told = at_once([lambda claim=claim: store.claim(claim) for claim in claims])
        (winner,) = [claim for claim, said in zip(claims, told, strict=True) if said is None]
        assert {said.owner for said in told if said is not None} == {winner.owner}
        for guard in winner.guards:
            assert guard_item(store, winner, guard)["holder_owner"] == winner.owner


def test_orders_that_share_guards_in_any_order_are_one_at_a_time(store: Store) -> None:
    for number in range(ROUNDS):
        guards = keyed(number, BILL, PART)
        orders = [record(f"{number}-{one}", "me", *(guards if one % 2 else guards[::-1])) for one in range(CONTENDERS)]
        told = at_once([lambda order=order: store.claim(order) for order in orders])
        (winner,) = [order for order, said in zip(orders, told, strict=True) if said is None]
        assert all(isinstance(said, GuardRefusedError) for said in told if said is not None)
        # The write is all or nothing: no loser left a record, and the winner holds both.
        assert [order.id for order in orders if store.find(order.id)] == [winner.id]
        assert {guard_item(store, winner, guard)["holder"] for guard in guards} == {winner.id}


def test_one_of_many_take_overs_wins(store: Store) -> None:
    for number in range(ROUNDS):
        order = record(f"{number}", "dead", *keyed(number, BILL))
        assert store.claim(order) is None
        told = at_once(
            [
                lambda order=order, one=one: store.acquire_lease(order, f"owner-{one}", NOW + 60)
                for one in range(CONTENDERS)
            ]
        )
        assert Counter(type(said).__name__ for said in told) == {"Record": 1, "LostOwnershipError": CONTENDERS - 1}
        standing = store.find(order.id)
        assert standing is not None
        assert standing.owner == next(said.owner for said in told if isinstance(said, Record))


def test_writes_of_one_record_at_once_leave_one_outcome(store: Store) -> None:
    for number in range(ROUNDS):
        order = record(f"{number}", "me", *keyed(number, BILL, PART))
        assert store.claim(order) is None
        told = at_once([
            lambda order=order: store.finalise(order, SUCCEEDED, {"result": {"xact_id": "x"}}),
            lambda order=order: store.finalise(order, DECLINED, {}),
            lambda order=order: store.acquire_lease(order, "other", NOW + 60),
            lambda order=order: store.release(order),
            lambda order=order: store.mark_unknown(order, NOW + 60),
        ])  # fmt: skip
        assert all(isinstance(said, Record | LostOwnershipError | None) for said in told)
        standing, (bill, part) = store.find(order.id), order.guards
        held = [guard_item(store, order, guard).get("holder") == order.id for guard in (bill, part)]
        if standing is None:
            assert held == [False, False]
        elif standing.status == SUCCEEDED:
            assert held == [True, False]
            assert store.memory(standing).payments >= {"xact_id=x"}
        else:
            assert held == ([False, False] if standing.final else [True, True])


def test_one_of_many_orders_gets_a_guard_that_was_left_behind(store: Store) -> None:
    for number in range(ROUNDS):
        gone, (guard,) = record(f"gone-{number}", "dead", *keyed(number, BILL)), keyed(number, BILL)
        assert store.claim(gone) is None
        store._call("delete_item", TableName=table(), Key={"id": {"S": gone.id}})
        orders = [record(f"{number}-{one}", "me", guard) for one in range(CONTENDERS)]
        told = at_once([lambda order=order: store.claim(order) for order in orders])
        (winner,) = [order for order, said in zip(orders, told, strict=True) if said is None]
        assert guard_item(store, winner, guard)["holder"] == winner.id
        assert [order.id for order in orders if store.find(order.id)] == [winner.id]


def test_nothing_releases_a_paid_guard(store: Store) -> None:
    paid, (guard,) = record("paid", "me", BILL), (BILL,)
    assert store.claim(paid) is None
    store.finalise(paid, SUCCEEDED, {"result": {}})
    store._call("delete_item", TableName=table(), Key={"id": {"S": paid.id}})
    again = record("paid", "later", guard)
    at_once([lambda: store.release(again)] * 2 + [lambda: store.claim(again)] * 2)
    with pytest.raises(GuardRefusedError):
        store.claim(record("other", "me", guard))
    assert guard_item(store, paid, guard)["paid"] is True


@pytest.mark.parametrize("ending", [SUCCEEDED, DECLINED, NOT_EXECUTED])
def test_every_transition_and_none_after_a_final_one(store: Store, ending: str) -> None:
    order = record(ending, "me", PART)
    assert store.claim(order) is None
    taken = store.acquire_lease(store.mark_unknown(order, NOW + 60), "other", NOW + 60)
    assert taken.status == UNKNOWN
    assert [item.id for item in store.unresolved(order.operation)] == [order.id]
    final = store.finalise(taken, ending, {"result": {"xact_id": "x"}})
    # The same write again changes nothing. Every other write is refused.
    assert store.finalise(taken, ending, {"result": {"xact_id": "x"}}) == final
    writes: list[Callable[[], Any]] = [
        lambda: store.finalise(taken, DECLINED if ending != DECLINED else SUCCEEDED, {}),
        lambda: store.release(taken),
        lambda: store.mark_unknown(taken, NOW + 60),
        lambda: store.acquire_lease(taken, "third", NOW + 90),
        lambda: store.finalise(order, ending, {}),
    ]
    for write in writes:
        with pytest.raises(LostOwnershipError):
            write()
    assert list(store.unresolved(order.operation)) == []
    standing = store.find(order.id)
    assert standing is not None
    assert standing.status == ending


def test_what_is_due_in_each_lane_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "DUE_PAGE", 3)
    waits = [-400, -300, -200, -100, 0, 60]
    for old in (False, True):
        for number, wait in enumerate(waits):
            order = record(f"lane-{old}-{number}", "me")
            past = NOW + wait - (7200 if old else 600)
            kept = replace(order, may_arrive_until=past, created_at=past - 40)
            assert store.claim(replace(kept, next_look_up=NOW)) is None
            store.mark_unknown(kept, NOW + wait)
    for lane, name in ((FRESH, "False"), (OLD, "True")):
        found = {}
        for shard in range(SHARDS):
            oldest_first = list(store.due("paynet.capture", lane, shard, newest_first=False))
            assert list(store.due("paynet.capture", lane, shard, newest_first=True)) == oldest_first[::-1]
            assert [it.next_look_up for it in oldest_first] == sorted(it.next_look_up for it in oldest_first)
            assert store.first_due("paynet.capture", lane, shard)[: len(oldest_first)] == oldest_first[:3]
            found |= {item.id: item.next_look_up for item in oldest_first}
        assert found == {f"op_lane-{name}-{number}": NOW + wait for number, wait in enumerate(waits[:-1])}
        counts = [store.count("paynet.capture", lane, shard, NOW - 3600) for shard in range(SHARDS)]
        assert [sum(each) for each in zip(*counts, strict=True)] == [6, 6 if lane == OLD else 0]
    assert len({item.id for item in store.unresolved("paynet.capture")}) == 2 * len(waits)
