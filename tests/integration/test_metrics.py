"""The metrics of the functions: certain outcomes and their money, latency and errors, with few dimensions."""

import json
from typing import Any

import pytest
from vezne.api.handle_order import StandingOrderFailed

from tests.support.example import Example
from tests.support.harness import Harness, forget_everything
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import CAPTURE_ANSWER, EXAMPLE as PAYNET
from tests.support.operations.paynet_reverse_capture import EXAMPLE as REVERSE_CAPTURE
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.provider_server import json_reply

LOST = json_reply({}, 500)


class Counted:
    """The metrics that were printed since the last call."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self) -> dict[str, list[tuple[dict[str, str], list[float]]]]:
        found: dict[str, list[tuple[dict[str, str], list[float]]]] = {}
        for text in self._capsys.readouterr().out.splitlines():
            line: dict[str, Any] = (
                json.loads(text) if text.startswith('{"_aws"') else {"_aws": {"CloudWatchMetrics": []}}
            )
            for directive in line["_aws"]["CloudWatchMetrics"]:
                (names,) = directive["Dimensions"]
                for metric in directive["Metrics"]:
                    values = line[metric["Name"]]
                    point = ({name: line[name] for name in names}, values if isinstance(values, list) else [values])
                    found.setdefault(metric["Name"], []).append(point)
        return found


@pytest.fixture
def counted(capsys: pytest.CaptureFixture[str]) -> Counted:
    return Counted(capsys)


def of(example: Example) -> dict[str, str]:
    return {"service": "vezne", "operation": example.operation}


def of_provider(example: Example) -> dict[str, str]:
    return {"service": "vezne", "provider": example.provider}


def amount(example: Example, currency: str, minor_units: float) -> list[tuple[dict[str, str], list[float]]]:
    return [({**of(example), "currency": currency}, [minor_units])]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_success_counts_once_with_its_latency(harness: Harness, counted: Counted, example: Example) -> None:
    harness.server.on(example.route, example.success)
    harness.send(example)
    metrics = counted()
    assert metrics["OrderSucceeded"] == [(of(example), [1])]
    ((dimensions, (milliseconds,)),) = metrics["ProviderLatency"]
    assert dimensions == of(example)
    assert 0 <= milliseconds < 20_000
    harness.send(example)
    replay = counted()
    assert not {"OrderSucceeded", "SucceededAmount", "ProviderLatency"} & replay.keys()


def test_the_amount_ordered_counts_in_minor_units(harness: Harness, counted: Counted) -> None:
    harness.server.on(KOLAYBI.route, KOLAYBI.success)
    harness.send(KOLAYBI)
    assert counted()["SucceededAmount"] == amount(KOLAYBI, "TRY", 25075)


def test_a_whole_capture_counts_what_the_provider_took(harness: Harness, counted: Counted) -> None:
    answer = {**CAPTURE_ANSWER, "amount": 12.5}
    harness.server.on(PAYNET.route, json_reply(answer))
    harness.send(PAYNET, {"xact_id": PAYNET.body["xact_id"]})
    assert counted()["SucceededAmount"] == amount(PAYNET, "TRY", 1250)


def test_a_capture_and_its_reversal_are_not_added_up(harness: Harness, counted: Counted) -> None:
    """A capture takes money and its reversal gives it back: a sum of both would mean nothing."""
    for example, transaction_type in ((PAYNET, 4), (REVERSE_CAPTURE, 6)):
        answer = {**CAPTURE_ANSWER, "amount": 49.9, "transaction_type": transaction_type}
        harness.server.on(example.route, json_reply(answer))
        assert harness.send(example).status == 200
        assert counted()["SucceededAmount"] == amount(example, "TRY", 4990)


def test_a_total_that_replaces_the_last_one_has_no_amount(harness: Harness, counted: Counted) -> None:
    harness.server.on(HASO.route, HASO.success)
    harness.send(HASO)
    metrics = counted()
    assert metrics["OrderSucceeded"] == [(of(HASO), [1])]
    assert "SucceededAmount" not in metrics


def test_a_refusal_counts_as_declined_and_moves_nothing(harness: Harness, counted: Counted) -> None:
    harness.server.on(PAYNET.route, PAYNET.refusal)
    harness.send(PAYNET)
    metrics = counted()
    assert metrics["OrderDeclined"] == [(of(PAYNET), [1])]
    assert "SucceededAmount" not in metrics


def test_an_unknown_outcome_counts_once_and_its_final_outcome_once(harness: Harness, counted: Counted) -> None:
    harness.server.on(PAYNET.route, LOST)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    operation_id = harness.send(PAYNET).body["operation_id"]
    assert counted()["OrderUnknown"] == [(of(PAYNET), [1])]

    harness.clock.advance(3600)
    harness.sweep(PAYNET)
    again = counted()
    assert not {"OrderUnknown", "OrderSucceeded"} & again.keys()
    assert again["OldestUnknownAge"] == [(of_provider(PAYNET), [3600])]
    assert again["SweepHeartbeat"] == [(of(PAYNET), [1])]

    harness.server.on(PAYNET.look_up_route, PAYNET.found(harness.record(operation_id)))
    harness.clock.advance(3600)
    harness.sweep(PAYNET)
    final = counted()
    assert final["OrderSucceeded"] == [(of(PAYNET), [1])]
    assert final["SucceededAmount"] == amount(PAYNET, "TRY", 4990)
    assert final["UnknownFinalised"] == [(of(PAYNET), [1])]
    assert final["OldestUnknownAge"] == [(of_provider(PAYNET), [0])]


def test_an_amount_that_could_not_be_stored_is_not_counted(harness: Harness, counted: Counted) -> None:
    """A look-up will find it later; it must not count twice."""

    def break_table(call: Any) -> Any:
        harness.fail_table("TransactWriteItems")
        return PAYNET.success(call)

    harness.server.on(PAYNET.route, break_table)
    assert harness.send(PAYNET).status == 200
    metrics = counted()
    assert not {"OrderSucceeded", "SucceededAmount"} & metrics.keys()
    assert metrics["OutcomeNotWritten"] == [({"service": "vezne"}, [1])] * 3


def test_refused_credentials_and_a_malformed_secret_are_counted(harness: Harness, counted: Counted) -> None:
    harness.server.on(PAYNET.route, json_reply({}, 401))
    assert harness.send(PAYNET).status == 502
    assert counted()["CredentialsRejected"] == [(of_provider(PAYNET), [1])]
    harness.put_secret("kolaybi", "not json")
    assert harness.send(KOLAYBI).status == 502
    assert counted()["CredentialsRejected"] == [(of_provider(KOLAYBI), [1])]


def test_a_sweep_that_cannot_log_in_is_counted(harness: Harness, counted: Counted) -> None:
    harness.server.on(KOLAYBI.route, LOST)
    harness.send(KOLAYBI)
    counted()
    harness.clock.advance(3600)
    harness.put_secret("kolaybi", "not json")
    forget_everything()
    harness.sweep(KOLAYBI)
    assert counted()["CredentialsRejected"] == [(of_provider(KOLAYBI), [1])]


def test_a_fault_of_ours_is_counted(harness: Harness, counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("vezne.api.handle_order._read_order", broken)
    assert harness.send(PAYNET).status == 500
    assert counted()["Internal"] == [({"service": "vezne"}, [1])]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_only_dimensions_are_service_operation_provider_and_currency(
    harness: Harness, counted: Counted, example: Example
) -> None:
    harness.server.on(example.route, example.success)
    harness.send(example)
    harness.sweep(example)
    for points in counted().values():
        for dimensions, _ in points:
            assert dimensions.keys() <= {"service", "operation", "provider", "currency"}
            assert set(dimensions.values()) <= {"vezne", example.operation, example.provider, "TRY"}


def standing(example: Example) -> dict[str, Any]:
    return {"name": "aidat", "occurrence": "2026-12-01T06:00:00Z", "request": example.request}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_refused_standing_order_counts_once(harness: Harness, counted: Counted, example: Example) -> None:
    harness.server.on(example.route, example.refusal)
    for expected in ([(of_provider(example), [1])], None):
        with pytest.raises(StandingOrderFailed):
            harness.standing_order(example, standing(example))
        assert counted().get("StandingOrderFailed") == expected


@pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)
def test_a_standing_order_that_is_found_not_executed_later_counts(
    harness: Harness, counted: Counted, example: Example
) -> None:
    """Its event ended without an error, so only this metric says that it was not carried out."""
    harness.server.on(example.route, LOST)
    known = harness.standing_order(example, standing(example))["operation_id"]
    assert "StandingOrderFailed" not in counted()
    harness.server.on(example.look_up_route, example.not_found)
    while not harness.record(known).final:
        harness.clock.now = max(harness.clock.now, harness.record(known).next_look_up or 0)
        harness.sweep(example)
    assert harness.record(known).status == "not_executed"
    assert counted()["StandingOrderFailed"] == [(of_provider(example), [1])]


def test_a_standing_order_that_succeeds_and_a_refused_order_of_a_client_do_not_count(
    harness: Harness, counted: Counted
) -> None:
    harness.server.on(PAYNET.route, PAYNET.success)
    harness.standing_order(PAYNET, standing(PAYNET))
    harness.server.on(PAYNET.route, PAYNET.refusal)
    harness.send(PAYNET)
    metrics = counted()
    assert metrics["OrderSucceeded"]
    assert "StandingOrderFailed" not in metrics
