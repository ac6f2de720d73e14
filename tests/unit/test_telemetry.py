"""Only what is named is logged, and no exception's text."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from vezne.platform import telemetry
from vezne.platform.telemetry import ALLOWED, emit_metric, flush, logger, metrics, stack_locations
from vezne.providers.http import Deadline, Provider, Request

from tests.support.raw_server import Connection, raw_server

CANARY = "KANARYA-4111111111111111"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the layer's logger writes."""
    stream = io.StringIO()
    (handler,) = logger.handlers
    monkeypatch.setattr(handler, "stream", stream)
    yield stream
    logger.clear_state()


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_named_fields_are_logged(log: io.StringIO) -> None:
    logger.info("order", operation="paynet.capture", operation_id="op_x", status="succeeded", replayed=False)
    (line,) = lines(log)
    assert line["message"] == "order"
    assert line["level"] == "INFO"
    assert line["service"] == "vezne"
    assert {name: line[name] for name in ("operation", "operation_id", "status", "replayed")} == {
        "operation": "paynet.capture", "operation_id": "op_x", "status": "succeeded", "replayed": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["body", "request", "receiver_account", "card_number", "secret_key", "event", "result"]
)
def test_a_field_that_is_not_named_is_dropped(log: io.StringIO, name: str) -> None:
    logger.info("order", status="succeeded", **{name: CANARY})
    logger.info("order", extra={name: CANARY})
    logger.append_keys(**{name: CANARY})
    logger.error("order")
    assert len(lines(log)) == 3
    assert CANARY not in log.getvalue()
    assert all(set(line) <= ALLOWED for line in lines(log))


def test_an_exceptions_text_and_trace_are_dropped(log: io.StringIO) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        logger.exception("internal", frames=stack_locations(error))
        logger.error("internal", exc_info=True)
    for line in lines(log):
        assert set(line) <= ALLOWED
        assert line["exception_name"] == "ValueError"
    assert lines(log)[0]["frames"] == [
        f"{__name__}:{test_an_exceptions_text_and_trace_are_dropped.__code__.co_firstlineno + 2}"
    ]
    assert CANARY not in log.getvalue()


def test_places_in_the_code_name_no_value() -> None:
    def inner(value: str) -> None:
        raise KeyError(value)

    with pytest.raises(KeyError) as caught:
        inner(CANARY)
    places = stack_locations(caught.value)
    assert len(places) == 2
    assert all(place.startswith(f"{__name__}:") for place in places)


def test_what_libraries_would_log_does_not_come_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """urllib3 quotes the address and the headers it cannot parse. Lambda writes what reaches the root logger."""
    root = io.StringIO()
    handler = logging.StreamHandler(root)
    logging.getLogger().addHandler(handler)

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(f"HTTP/1.1 200 OK\r\nX-Card {CANARY}".encode())

    try:
        with raw_server(script) as server:
            monkeypatch.setenv("TEST_URL", server.url)
            provider = Provider("TEST_URL")
            provider.send(provider.prepare(Request("POST", f"/{CANARY}", {})), Deadline(lambda: 27_000))
        for library in ("urllib3.connection", "urllib3.connectionpool", "botocore.endpoint", "boto3"):
            logging.getLogger(library).error(CANARY)
    finally:
        logging.getLogger().removeHandler(handler)
    assert CANARY not in root.getvalue()
    out, err = capfd.readouterr()
    assert CANARY not in out + err


def test_metrics_have_few_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    # Orders of other tests in this process may have left theirs.
    metrics.clear_metrics()
    emit_metric("OrderSucceeded", "paynet.capture")
    emit_metric("OrderSucceeded", "paynet.capture")
    flush()
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "_aws" in text]
    assert line["operation"] == "paynet.capture"
    assert line["OrderSucceeded"] == [1.0, 1.0]
    assert [sorted(them) for them in line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]] == [["operation", "service"]]


def test_nothing_is_flushed_when_nothing_was_counted(capsys: pytest.CaptureFixture[str]) -> None:
    flush()
    assert capsys.readouterr().out == ""


def test_a_metric_that_cannot_be_written_fails_no_order(monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(telemetry.metrics, "add_metric", fail)
    emit_metric("OrderSucceeded", "paynet.capture")
    (line,) = lines(log)
    assert (line["message"], line["exception_name"]) == ("metric lost", "RuntimeError")
    assert CANARY not in log.getvalue()
