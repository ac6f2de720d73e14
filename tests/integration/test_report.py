"""GET /reconciliations/{provider}/{date}: the report of a day, for who may read it."""

import json
from datetime import date
from typing import Any

import pytest
from vezne.orders.report import Report, begin
from vezne.orders.store import Store
from vezne_client import Report as Read

from tests.support.harness import Harness

DAY = date(2026, 11, 26)
KNOWN = Report(
    "paynet", DAY, "complete", counts={"matched": 3, "missing_there": 1},
    findings=({"id": "a", "class": "missing_there"},), started_at=1.0, finished_at=2.0,
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
    return harness


def test_a_report_is_read_as_it_is_kept(kept: Harness) -> None:
    status, body = read(kept)
    assert (status, body) == (200, KNOWN.public())
    assert (body["clean"], body["counts"]["matched"], body["findings"][0]["class"]) == (False, 3, "missing_there")
    assert Read.model_validate(body).findings == [{"id": "a", "class": "missing_there"}]


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
