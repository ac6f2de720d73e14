"""GET /reconciliations/{provider}/{date}: the report of a day, for who may read it."""

import json
from datetime import date
from typing import Any

import pytest
from vezne.orders.report import Report, Resolution, begin, finding_id, resolve_finding
from vezne.orders.store import Store
from vezne_client import Report as Read

from tests.support.harness import Harness

DAY = date(2026, 11, 26)
KNOWN = Report(
    "paynet", DAY, "complete", counts={"matched": 3, "missing_there": 1, "later_event": 1},
    findings=({"id": "a", "class": "missing_there"},), later_events=({"id": "b", "class": "later_event"},),
    started_at=1.0, finished_at=2.0,
    file="reconciliations/paynet/2026-11-26.csv",
)  # fmt: skip


def event(provider: str = "paynet", day: str = "2026-11-26") -> dict[str, Any]:
    return {
        "resource": "/reconciliations/{provider}/{date}",
        "pathParameters": {"provider": provider, "date": day},
        "requestContext": {"authorizer": {"claims": {"client_id": "c"}}},
    }


def read(harness: Harness, **asked: str) -> tuple[int, dict[str, Any]]:
    answer = harness.handle("get_operation", event(**asked))
    return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def kept(harness: Harness) -> Harness:
    Store().update_item(begin(KNOWN, None, 3.0))
    for name in ("a", "b"):
        Store().put_new({"id": {"S": finding_id("paynet", name)}, "date": {"S": DAY.isoformat()}})
    return harness


def resolve(name: str, reason: str) -> None:
    Store().update_item(resolve_finding("paynet", DAY, name, Resolution("arn:ayse", 4.0, reason)))


def test_a_report_is_read_as_it_is_kept(kept: Harness) -> None:
    status, body = read(kept)
    assert (status, body) == (200, KNOWN.public())
    assert (body["clean"], body["counts"]["matched"], body["findings"][0]["class"]) == (False, 3, "missing_there")
    assert (body["open_contradictions"], body["open_later_events"]) == (1, 1)
    told = Read.model_validate(body)
    assert told.findings == [{"id": "a", "class": "missing_there"}]
    assert told.later_events == [{"id": "b", "class": "later_event"}]


def test_a_day_whose_contradictions_are_resolved_is_clean(kept: Harness) -> None:
    resolve("a", "came a day late")
    told = Read.model_validate(read(kept)[1])
    assert (told.clean, told.open_contradictions, told.open_later_events) == (True, 0, 1)
    assert told.findings == [
        {
            "id": "a",
            "class": "missing_there",
            "resolved_at": "1970-01-01T00:00:04.000Z",
            "resolution": "came a day late",
        }
    ]


def test_a_resolved_later_event_hides_no_contradiction(kept: Harness) -> None:
    resolve("b", "finance knows")
    told = Read.model_validate(read(kept)[1])
    assert (told.clean, told.open_contradictions, told.open_later_events) == (False, 1, 0)
    assert [finding["resolution"] for finding in told.later_events] == ["finance knows"]


def test_who_resolved_a_finding_is_not_for_clients(kept: Harness) -> None:
    resolve("a", "came a day late")
    assert "arn:ayse" not in json.dumps(read(kept)[1])


def test_the_report_of_an_earlier_version_lists_no_later_event(kept: Harness) -> None:
    update = {"Key": {"id": {"S": "reconciliation#paynet#2026-11-26"}}, "UpdateExpression": "REMOVE later_events"}
    Store().update_item(update)
    _, body = read(kept)
    assert (body["later_events"], body["open_later_events"]) == ([], 1)


@pytest.mark.parametrize("asked", [{"day": "2026-11-25"}, {"provider": "kolaybi"}])
def test_a_day_without_a_report(kept: Harness, asked: dict[str, str]) -> None:
    status, body = read(kept, **asked)
    assert (status, body["type"], body["money"]) == (404, "/problems/report-not-found", "not_moved")


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"provider": "other"}, "path.provider"),
        ({"provider": ".."}, "path.provider"),
        ({"day": "20261126"}, "path.date"),
        ({"day": "2026-11-31"}, "path.date"),
        ({"day": "2026-W48-4"}, "path.date"),
        ({"day": "%2532"}, "path.date"),
    ],
)
def test_what_names_no_report_is_refused_with_its_place(kept: Harness, asked: dict[str, str], place: str) -> None:
    status, body = read(kept, **asked)
    assert (status, [error["place"] for error in body["errors"]]) == (400, [place])


def test_a_table_that_does_not_answer_and_a_token_without_a_client(kept: Harness) -> None:
    assert kept.handle("get_operation", {**event(), "requestContext": {}})["statusCode"] == 403
    kept.fail_table("GetItem")
    assert read(kept)[0] == 503
