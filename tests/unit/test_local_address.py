"""`make serve`: its port, its sweeps and its logs, and what it says where it cannot do what it was asked."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from vezne_cli import emulator, logs, stack, sweeps
from vezne_cli.catalogue import FUNCTIONS, ORDERS
from vezne_cli.connection import OperatorError
from vezne_cli.processes import StackError
from vezne_sandbox.server import running_sandbox


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VEZNE_PORT", "VEZNE_GATEWAY_PORT", sweeps.VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


# ------------------------------------------------------------------ the port


def test_a_taken_usual_port_is_said_and_another_one_is_taken(taken: int) -> None:
    said: list[str] = []
    port = stack._gateway_port(taken, said.append)
    assert port != taken
    assert said == [f"port {taken} is taken, so this stack is on port {port} (VEZNE_PORT chooses one)"]


def test_the_usual_port_is_taken_if_it_is_free() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        free = other.getsockname()[1]
    said: list[str] = []
    assert stack._gateway_port(free, said.append) == free
    assert said == []


@pytest.mark.parametrize("variable", ["VEZNE_PORT", "VEZNE_GATEWAY_PORT"])
def test_a_taken_port_that_was_asked_for_is_refused(monkeypatch: pytest.MonkeyPatch, taken: int, variable: str) -> None:
    monkeypatch.setenv(variable, str(taken))
    with pytest.raises(StackError, match=f"Port {taken} .{variable}. is taken"):
        stack._gateway_port(8780, print)


@pytest.mark.parametrize("port", ["http", "0", "-1", "65536", "87.80", "٨٧٨٠"])
def test_what_is_no_port_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("VEZNE_PORT", port)
    with pytest.raises(StackError, match=f"VEZNE_PORT={port} is no port: take a number from 1 to 65535"):
        stack._gateway_port(8780, print)


def test_localhost_is_a_domain_of_an_api_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator.apigateway_v1, "resolve_base_path_mapping", lambda *asked: asked)
    monkeypatch.setattr(emulator, "_dotted_domain", lambda *_asked: "dotted")
    assert emulator._custom_domain("LOCALHOST:8780", "/local/x") == ("localhost", "/local/x")
    assert emulator._custom_domain("api.example.org", "/local/x") == "dotted"


# ------------------------------------------------------------------ the sweeps


@pytest.mark.parametrize(("asked", "seconds"), [("", 5.0), ("0", 0.0), ("2", 2.0), ("0.5", 0.5)])
def test_the_seconds_between_sweeps(monkeypatch: pytest.MonkeyPatch, asked: str, seconds: float) -> None:
    monkeypatch.setenv(sweeps.VARIABLE, asked)
    assert sweeps.seconds_between() == seconds


@pytest.mark.parametrize("asked", ["often", "-1", "nan", "inf", "1.2.3", ".", "86401", "9" * 400])
def test_what_is_no_number_of_seconds_is_refused(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv(sweeps.VARIABLE, asked)
    with pytest.raises(StackError, match="is no number of seconds"):
        sweeps.seconds_between()


def test_every_operation_is_swept_and_a_failing_sweep_does_not_stop_the_next() -> None:
    swept: list[str] = []
    said: list[str] = []
    twice = threading.Event()

    def invoke(operation: str, event: dict[str, Any]) -> dict[str, int]:
        # One worker has every shard.
        assert event == {"sweep": {"worker": 0, "of": 1}}
        swept.append(operation)
        if len(swept) > 2 * len(ORDERS):
            twice.set()
        if operation == "paynet.capture":
            raise RuntimeError("no answer")
        return {"looked_up": int(operation == "vakifbank.pay"), "final": 0}

    with sweeps.sweeping(cast("Any", SimpleNamespace(invoke=invoke)), 0.001, said.append):
        assert twice.wait(20)
    after = len(swept)
    assert set(swept) == set(ORDERS)
    assert "every 0.001 s (VEZNE_SWEEP_SECONDS=n changes that, 0 stops it)" in said[0]
    assert set(said[1:]) == {"sweep of paynet.capture: no answer", "sweep of vakifbank.pay: looked_up 1"}
    assert len(swept) == after


def test_no_sweeps_are_said_too() -> None:
    said: list[str] = []
    with sweeps.sweeping(cast("Any", None), 0, said.append):
        pass
    assert said == ["no sweeps: an unknown outcome waits for the next request (VEZNE_SWEEP_SECONDS is 0)"]


# ------------------------------------------------------------------ the logs


def test_a_log_gives_each_whole_line_once(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("one\ntw")
    more = logs.file_lines(log)
    assert list(more()) == ["one"]
    with log.open("a") as further:
        further.write("o\nthree\n")
    assert list(more()) == ["two", "three"]
    assert list(more()) == []


def test_a_function_gives_each_event_once() -> None:
    events = [{"logStreamName": "s", "timestamp": 1, "message": "same"}] * 2
    pages = SimpleNamespace(paginate=lambda **_: [{"events": list(events)}])
    more = logs.function_lines(SimpleNamespace(get_paginator=lambda _: pages), "group")
    assert list(more()) == ["same", "same"]
    events.append({"logStreamName": "s", "timestamp": 1, "message": "other\nline"})
    assert list(more()) == ["other", "line"]


def test_a_call_of_the_sandbox_is_told_without_its_reference() -> None:
    with running_sandbox() as sandbox:
        more = logs.sandbox_lines(sandbox.url)
        assert list(more()) == []
        logs.httpx.post(f"{sandbox.url}/v1/transaction/capture", json={"reference_no": "R-secret"}, trust_env=False)
        (line,) = more()
        assert " paynet.capture " in line
        assert "not booked" in line
        assert "R-secret" not in line
        assert list(more()) == []


def test_a_wrong_function_is_told_the_right_ones() -> None:
    with pytest.raises(
        OperatorError, match=r"paynet; did you mean paynet_check\? There are: .*paynet_capture"
    ) as refused:
        logs.sources({}, "paynet")
    assert all(function.folder in str(refused.value) for function in FUNCTIONS.values())
