"""Standing orders: name and occurrence are the key. An order that fails raises an error, so that Lambda tries again."""

from typing import Any

import pytest
from vezne.api.handle_order import StandingOrderFailed
from vezne.orders.record import STANDING_ORDER_CLIENT

from tests.support.example import Example
from tests.support.harness import Harness
from tests.support.operations import EXAMPLES
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.provider_server import HANG_UP

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
OCCURRENCE = "2026-12-01T06:00:00Z"


def content(example: Example, **changes: Any) -> dict[str, Any]:
    return {"name": "aidat", "occurrence": OCCURRENCE, "request": example.request, **changes}


def failure(harness: Harness, example: Example, what: Any, **options: Any) -> str:
    """Why the standing order was refused."""
    with pytest.raises(StandingOrderFailed) as caught:
        harness.standing_order(example, what, **options)
    return str(caught.value)


@each_operation
def test_the_same_occurrence_twice_pays_once(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, example.success)
    first = harness.standing_order(example, content(example))
    second = harness.standing_order(example, content(example))
    assert first["status"] == "succeeded"
    assert second == first
    assert len(harness.server.to(example.route)) == 1


def test_another_occurrence_or_name_is_another_order(harness: Harness) -> None:
    harness.server.on(PAYNET.route, PAYNET.success)
    ids = {
        harness.standing_order(PAYNET, content(PAYNET, name=name, occurrence=occurrence))["operation_id"]
        for name in ("aidat", "kira")
        for occurrence in (OCCURRENCE, "2027-01-01T06:00:00Z")
    }
    assert len(ids) == 4
    assert len(harness.server.to(PAYNET.route)) == 4


@pytest.mark.parametrize(("name", "occurrence"), [("a", "b\nc"), ("a\nb", "c")])
def test_name_and_occurrence_are_separate_in_the_key(harness: Harness, name: str, occurrence: str) -> None:
    """A line break separates them in the key, so neither may contain one."""
    assert failure(harness, PAYNET, content(PAYNET, name=name, occurrence=occurrence)) == "invalid-request"


def test_no_client_can_read_or_repeat_a_standing_order(harness: Harness) -> None:
    harness.server.on(PAYNET.route, PAYNET.success)
    paid = harness.standing_order(PAYNET, content(PAYNET))
    assert harness.read(paid["operation_id"]).status == 404
    assert harness.record(paid["operation_id"]).principal == STANDING_ORDER_CLIENT


@each_operation
def test_an_unknown_outcome_is_not_raised_because_the_sweep_finds_it(harness: Harness, example: Example) -> None:
    """Lambda would repeat an event that raises. Here that would be harmless, but useless."""
    harness.server.on(example.route, HANG_UP)
    assert harness.standing_order(example, content(example))["status"] == "unknown"


@each_operation
def test_a_refusal_is_raised_each_time(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, example.refusal)
    for _ in range(3):
        reason = failure(harness, example, content(example))
        assert reason.startswith("op_")
        assert reason.endswith("declined")
    assert len(harness.server.to(example.route)) == 1


def test_what_was_not_sent_is_raised_and_then_paid(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.server.on(PAYNET.route, PAYNET.success)
    with monkeypatch.context() as patch:
        patch.setenv("PAYNET_URL", "http://127.0.0.1:1")
        assert failure(harness, PAYNET, content(PAYNET)) == "provider-unreachable"
    assert failure(harness, PAYNET, content(PAYNET), seconds=2.0) == "not-enough-time"
    assert harness.standing_order(PAYNET, content(PAYNET))["status"] == "succeeded"


def test_one_that_is_still_running_is_raised(harness: Harness) -> None:
    harness.server.on(PAYNET.route, PAYNET.success)
    seen: list[str] = []

    def fire_again(call: Any) -> Any:
        seen.append(failure(harness, PAYNET, content(PAYNET)))
        return PAYNET.success(call)

    harness.server.on(PAYNET.route, fire_again)
    assert harness.standing_order(PAYNET, content(PAYNET))["status"] == "succeeded"
    assert seen == ["in-progress"]


def test_the_same_occurrence_with_another_request_is_refused(harness: Harness) -> None:
    harness.server.on(PAYNET.route, PAYNET.success)
    harness.standing_order(PAYNET, content(PAYNET))
    changed = content(PAYNET, request=PAYNET.other_body)
    assert failure(harness, PAYNET, changed) == "idempotency-key-reused"
    assert len(harness.server.to(PAYNET.route)) == 1


@pytest.mark.parametrize(
    "request_content",
    [
        {"xact_id": "x", "amount": 49.9},
        {"xact_id": "x", "amount": 10.0},
        {"xact_id": "x", "amount": float("nan")},
        {"xact_id": "x", "amount": float("inf")},
        {"xact_id": "x", "amount": "1.005"},
        {"xact_id": "x", "unheard_of": 1},
        {"xact_id": "\ud800"},
        {},
        [],
        None,
        "text",
    ],
    ids=repr,
)
def test_requests_that_do_not_fit(harness: Harness, request_content: Any) -> None:
    """A float has lost digits before we read it, so amounts with a fraction must be strings."""
    assert failure(harness, PAYNET, content(PAYNET, request=request_content)) == "invalid-request"
    assert harness.server.calls == []
    assert harness.items() == []


def test_a_whole_number_may_be_a_number(harness: Harness) -> None:
    harness.server.on(PAYNET.route, PAYNET.success)
    harness.standing_order(PAYNET, content(PAYNET, request={"xact_id": "x", "amount": 10}))
    assert harness.server.to(PAYNET.route)[0].json()["amount"] == "1000"


@pytest.mark.parametrize(
    "what",
    [
        None, "text", [], {}, {"name": "a", "occurrence": OCCURRENCE}, {"name": "a", "request": {}},
        {"name": "", "occurrence": OCCURRENCE, "request": {"xact_id": "x"}},
        {"name": "a", "occurrence": "", "request": {"xact_id": "x"}},
        {"name": 7, "occurrence": OCCURRENCE, "request": {"xact_id": "x"}},
        {"name": "a", "occurrence": 7, "request": {"xact_id": "x"}},
        {"name": "a", "occurrence": OCCURRENCE, "request": {"xact_id": "x"}, "more": 1},
        {"name": "a ", "occurrence": OCCURRENCE, "request": {"xact_id": "x"}},
        {"name": "a\u202e", "occurrence": OCCURRENCE, "request": {"xact_id": "x"}},
        {"name": "a" * 141, "occurrence": OCCURRENCE, "request": {"xact_id": "x"}},
        {"name": "a", "occurrence": f"{OCCURRENCE}\n", "request": {"xact_id": "x"}},
        {"name": "a", "occurrence": OCCURRENCE, "request": {"xact_id": "x\0"}},
        {"name": "a", "occurrence": OCCURRENCE, "request": ["x"]},
    ],
    ids=repr,
)  # fmt: skip
def test_events_that_are_no_standing_orders(harness: Harness, what: Any) -> None:
    assert failure(harness, PAYNET, what) == "invalid-request"
    assert harness.server.calls == []


def test_a_failure_names_no_value(harness: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    reason = failure(harness, PAYNET, content(PAYNET, name="KANARYA", request={"xact_id": ["KANARYA"]}))
    assert "KANARYA" not in reason + str(capsys.readouterr())
