"""The golden events as a function gets them, and the first answer of a healthy function to each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vezne_cli.catalogue import FUNCTIONS, INQUIRIES, ORDERS, READ, REFERENCE, Function
from vezne_cli.processes import ROOT
from vezne_cli.stack import Stack


@dataclass(frozen=True)
class GoldenEvent:
    """One file of events/: a function's folder, and the kind of the event."""

    path: Path

    @property
    def function(self) -> Function:
        (function,) = [each for each in FUNCTIONS.values() if each.folder == self.path.name.split(".")[0]]
        return function

    @property
    def kind(self) -> str:
        return self.path.name.split(".")[1]

    @property
    def logical_name(self) -> str:
        return self.function.logical_name

    @property
    def pays(self) -> bool:
        """Whether it is an order. An order must be performed once."""
        return self.kind == "standing_order" or (self.kind == "api" and self.operation in ORDERS)

    @property
    def operation(self) -> str:
        return self.function.name

    def content(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.path.read_text())
        return event


GOLDEN_EVENTS = [GoldenEvent(path) for path in sorted((ROOT / "events").glob("*.json"))]


def first_time(stack: Stack) -> None:
    """Forget every order, here and at the providers, since golden events have fixed keys."""
    for item in stack.records():
        if item["id"]["S"].startswith("breaker#"):
            continue
        stack.aws("dynamodb").delete_item(TableName=stack.table, Key={"id": item["id"]})
    stack.sandbox.reset()


def assert_healthy(stack: Stack, event: GoldenEvent, answer: Any) -> None:
    """Check the first answer to an event, and the money that it moved."""
    bookings = len(stack.sandbox.bookings())
    if event.kind == "sweep":
        assert answer["final"] == 0, answer
        assert answer["looked_up"] == 0, answer
        assert bookings == 0
    elif event.kind == "night":
        assert [report["status"] for report in answer["reports"]] == ["complete"] * 3, answer
    elif event.kind == "standing_order":
        assert answer["status"] == "succeeded", answer
        assert bookings == 1
    elif event.function is READ:
        # No client owns the operation in the event.
        assert answer["statusCode"] == 404, answer
        assert json.loads(answer["body"])["type"] == "/live/problems/operation-not-found"
    elif event.function is REFERENCE:
        assert answer["statusCode"] == 200, answer
        assert "What happened to the money" in answer["body"]
    elif event.operation in INQUIRIES:
        assert answer["statusCode"] == 200, answer
        assert bookings == 0
    else:
        assert answer["statusCode"] == 200, answer
        assert json.loads(answer["body"])["status"] == "succeeded"
        assert "Idempotent-Replayed" not in answer["headers"]
        assert bookings == 1
