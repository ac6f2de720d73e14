"""GET /operations: a client's own orders, newest first, page by page."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from vezne.orders import own, pages
from vezne.orders.own import Wanted
from vezne.orders.record import iso_time
from vezne_cli.catalogue import SCOPES

from tests.support.example import Example
from tests.support.harness import START, Harness, Response, api_event, table_of_the_template
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as COLLECT
from tests.support.operations.paynet_capture import EXAMPLE as CAPTURE
from tests.support.provider_server import HANG_UP

List = Callable[..., Response]


@pytest.fixture
def listed(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> List:
    monkeypatch.setenv("SCOPES", " ".join(f"vezne/{scope}" for scope in SCOPES))
    monkeypatch.setattr("vezne.api.handle_operations.Store", lambda: harness.store)

    def ask(client: str = "client-1", **query: Any) -> Response:
        event = api_event("/operations", None, None, key=None, client=client)
        named = {name.rstrip("_"): str(value) for name, value in query.items()}
        asked = {**event, "resource": "/operations", "queryStringParameters": named or None}
        answer = harness.handle("get_operation", asked)
        return Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))

    return ask


def collect(harness: Harness, key: str, client: str = "client-1", **more: Any) -> str:
    harness.server.on(COLLECT.route, COLLECT.success)
    answer = harness.send(COLLECT, {**COLLECT.body, **more}, key=key, client=client)
    assert answer.status == 200
    return str(answer.body["operation_id"])


def ids(answer: Response) -> list[str]:
    assert answer.status == 200, answer.body
    return [it["operation_id"] for it in answer.body["operations"]]


def all_pages(listed: List, **query: Any) -> list[str]:
    found, cursor = [], {}
    while True:
        answer = listed(**query, **cursor)
        found += ids(answer)
        if "next_cursor" not in answer.body:
            return found
        cursor = {"cursor": answer.body["next_cursor"]}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@pytest.mark.parametrize("ending", ["success", "refusal", "unknown"])
def test_each_order_is_listed_as_it_is_read(harness: Harness, listed: List, example: Example, ending: str) -> None:
    harness.server.on(example.route, HANG_UP if ending == "unknown" else getattr(example, ending))
    harness.send(example, {**example.body, "reference": "R-1"})
    (one,) = listed().body["operations"]
    assert one == harness.read(one["operation_id"]).body
    success = "moved" if example.declared.declaration.moves_money else "not_moved"
    assert (one["reference"], one["money"]) == (
        "R-1", {"success": success, "refusal": "not_moved", "unknown": "unknown"}[ending]
    )  # fmt: skip
    assert one.get("retry") == {"success": None, "refusal": "new_key", "unknown": "same_key"}[ending]


def test_the_newest_come_first_and_each_page_goes_on_where_the_last_ended(harness: Harness, listed: List) -> None:
    made = []
    for number in range(33):
        made.append(collect(harness, f"key-{number}"))
        # Some are made in the same millisecond.
        harness.clock.advance(0 if number % 4 else 1)
    for limit in (1, 7, 33, 100):
        found = all_pages(listed, limit=limit)
        assert sorted(found) == sorted(made)
        times = [harness.record(one).created_at for one in found]
        assert times == sorted(times, reverse=True)
    assert len(ids(listed())) == 20


def test_an_order_made_meanwhile_is_on_no_later_page(harness: Harness, listed: List) -> None:
    made = [collect(harness, f"key-{number}") for number in range(4)]
    first = listed(limit=2)
    harness.clock.advance(1)
    collect(harness, "key-new")
    assert sorted(ids(first) + ids(listed(limit=50, cursor=first.body["next_cursor"]))) == sorted(made)


def test_a_client_sees_its_own_orders_only(harness: Harness, listed: List) -> None:
    ours, theirs = collect(harness, "key-1"), collect(harness, "key-1", client="client-2")
    assert ids(listed()) == ids(listed(key="key-1")) == [ours]
    assert ids(listed("client-2")) == [theirs]
    assert ids(listed("client-3")) == ids(listed("client-3", key="key-1")) == []


def test_orders_are_found_by_what_they_are(harness: Harness, listed: List) -> None:
    first = collect(harness, "key-1", reference="R-1")
    harness.clock.advance(60)
    harness.server.on(CAPTURE.route, HANG_UP)
    second = harness.send(CAPTURE, {**CAPTURE.body, "reference": "R-1"}, key="key-2").body["operation_id"]
    harness.clock.advance(60)
    third = collect(harness, "key-3", reference="R-3")
    minute = [iso_time(START + 60 * number) for number in range(4)]
    for query, found in [
        ({"status": "succeeded"}, [third, first]),
        ({"status": "unknown"}, [second]),
        ({"status": "declined"}, []),
        ({"operation": "kolaybi.collect"}, [third, first]),
        ({"reference": "R-1"}, [second, first]),
        ({"reference": "R-1", "status": "unknown"}, [second]),
        ({"reference": "r-1"}, []),
        ({"from_": minute[1]}, [third, second]),
        ({"to": minute[1]}, [first]),
        ({"from_": minute[1], "to": minute[2]}, [second]),
        ({"from_": "2026-12-01T09:01:00+03:00"}, [third, second]),
        ({"from_": minute[3]}, []),
        ({"key": "key-2"}, [second]),
        ({"key": "key-2", "operation": "paynet.capture"}, [second]),
        ({"key": "key-2", "operation": "kolaybi.collect"}, []),
        ({"key": "key-1", "reference": "R-3"}, []),
        ({"key": "none"}, []),
    ]:
        assert ids(listed(**query)) == found, query


def test_one_key_finds_the_orders_of_all_operations(harness: Harness, listed: List) -> None:
    made = [collect(harness, "key-1")]
    harness.clock.advance(1)
    harness.server.on(HASO.route, HASO.success)
    made.append(harness.send(HASO, key="key-1").body["operation_id"])
    answer = listed(key="key-1", limit=1)
    assert (ids(answer), "next_cursor" in answer.body) == (made[::-1], False)


def test_few_among_many_are_found_in_pages_that_are_not_full(
    harness: Harness, listed: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request looks at a limited number of entries, then it says where to go on."""
    monkeypatch.setattr(pages, "_FILTERED_PAGE", 2)
    monkeypatch.setattr(pages, "MOST_ROUNDS", 1)
    wanted = []
    for number in range(40):
        one = collect(harness, f"key-{number}", reference="often" if number % 13 == 0 else f"R-{number}")
        wanted += [one] if number % 13 == 0 else []
        harness.clock.advance(1)
    assert all_pages(listed, reference="often") == wanted[::-1]
    assert len(ids(listed(status="succeeded"))) < 20
    assert len(all_pages(listed, status="succeeded")) == 40
    assert all_pages(listed, operation="paynet.capture") == []


def test_a_final_order_stays_listed_until_it_expires(harness: Harness, listed: List) -> None:
    standing = harness.stand(COLLECT)
    assert listed(status="processing").body["operations"][0]["operation_id"] == standing.id
    harness.store.finalise(standing, "not_executed", {})
    assert ids(listed(status="processing")) == []
    assert ids(listed(status="not_executed")) == ids(listed()) == [standing.id]
    harness.delete(standing.id)
    assert ids(listed()) == []


def test_what_the_index_says_too_late_is_compared_with_the_record(harness: Harness) -> None:
    record = harness.stand(COLLECT)
    wanted = Wanted("client-1", "processing", "kolaybi.collect", None, iso_time(START), iso_time(START + 1))
    assert wanted.fits(record)
    for other in (
        replace(wanted, principal="client-2"), replace(wanted, status="unknown"), replace(wanted, reference="R-1"),
        replace(wanted, operation="paynet.capture"), replace(wanted, since=iso_time(START + 1)),
        replace(wanted, until=iso_time(START)),
    ):  # fmt: skip
        assert not other.fits(record)


def test_an_order_that_has_just_become_final_is_not_listed_as_it_was(
    harness: Harness, listed: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = harness.stand(COLLECT)
    monkeypatch.setattr(harness.store, "find", lambda _: replace(standing, status="declined", outcome={}))
    assert ids(listed(status="processing")) == []
    assert ids(listed()) == [standing.id]


# ------------------------------------------------------------------ cursors, parameters


def test_a_cursor_belongs_to_its_client_and_to_its_question(harness: Harness, listed: List) -> None:
    for number in range(3):
        collect(harness, f"key-{number}", reference="R-1")
    cursor = listed(limit=1, reference="R-1").body["next_cursor"]
    assert len(ids(listed(limit=50, reference="R-1", cursor=cursor))) == 2
    place = base64.urlsafe_b64decode(cursor)
    changed = base64.urlsafe_b64encode(place.replace(b"2026-12", b"2026-11")).decode()
    for client, query in [
        ("client-2", {"reference": "R-1", "cursor": cursor}),
        ("client-1", {"cursor": cursor}),
        ("client-1", {"reference": "R-2", "cursor": cursor}),
        ("client-1", {"reference": "R-1", "status": "succeeded", "cursor": cursor}),
        ("client-1", {"reference": "R-1", "from_": "2026-11-01T00:00:00Z", "cursor": cursor}),
        ("client-1", {"reference": "R-1", "cursor": changed}),
        ("client-1", {"reference": "R-1", "cursor": cursor[:-4]}),
        ("client-1", {"reference": "R-1", "cursor": "şey"}),
        ("client-1", {"reference": "R-1", "cursor": ""}),
        ("client-1", {"reference": "R-1", "key": "key-1", "cursor": cursor}),
    ]:
        refused = listed(client, **query)
        assert (refused.status, refused.slug, refused.body["money"]) == (400, "invalid-request", "not_moved"), query
        assert refused.body["errors"][0]["place"] == "query.cursor"


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"status": "done"}, "query.status"),
        ({"operation": "none.such"}, "query.operation"),
        ({"operation": ""}, "query.operation"),
        ({"from_": "2026-11-26"}, "query.from"),
        ({"from_": "2026-11-26T00:00:00"}, "query.from"),
        ({"to": "yesterday"}, "query.to"),
        ({"to": "0001-01-01T00:00:00+03:00"}, "query.to"),
        ({"key": ""}, "query.key"),
        ({"key": "a b"}, "query.key"),
        ({"key": "k" * 256}, "query.key"),
        ({"reference": ""}, "query.reference"),
        ({"reference": "x" * 101}, "query.reference"),
        ({"limit": 0}, "query.limit"),
        ({"limit": 101}, "query.limit"),
        ({"limit": "ten"}, "query.limit"),
        ({"limit": "٣"}, "query.limit"),
        ({"principal": "client-2"}, "query"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(harness: Harness, listed: List, query: Any, place: str) -> None:
    refused = listed(**query)
    assert (refused.status, refused.slug) == (400, "invalid-request")
    assert refused.body["errors"][0]["place"] == place
    assert harness.table_calls == []


def test_a_token_that_names_no_principal_lists_nothing(harness: Harness) -> None:
    event = {**api_event("/operations", None, None, client=None), "resource": "/operations"}
    assert harness.handle("get_operation", event)["statusCode"] == 403


def test_a_table_that_does_not_answer(harness: Harness, listed: List) -> None:
    harness.fail_table("Query")
    refused = listed()
    assert (refused.status, refused.slug, refused.body["money"]) == (503, "store-unavailable", "unknown")


# ------------------------------------------------------------------ the index


def test_the_index_has_nothing_personal_and_the_claim_alone_writes_its_keys(harness: Harness) -> None:
    known = collect(harness, "key-1", reference="Kira, Ayşe Yılmaz")
    (item,) = harness.records()
    (index,) = [it for it in table_of_the_template()["GlobalSecondaryIndexes"] if it["IndexName"] == own.OWN_INDEX]
    names = [key["AttributeName"] for key in index["KeySchema"]] + index["Projection"]["NonKeyAttributes"]
    assert names == ["own", "own_at", "operation", "status", "own_reference"]
    told = " ".join(item[name]["S"] for name in names)
    assert "Ayşe" not in told
    assert item["own_at"]["S"] == f"2026-12-01T06:00:00.000Z#{known}"
    assert item["own"]["S"].rpartition("#")[0] == "client-1"


def test_reading_a_list_writes_nothing(harness: Harness, listed: List) -> None:
    collect(harness, "key-1")
    harness.table_calls.clear()
    listed()
    assert set(harness.table_calls) == {"Query", "GetItem"}
