"""The golden events in events/: one of each kind per function, as Lambda gets them and as a client sends them."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from .catalogue import FUNCTIONS
from .processes import ROOT

EVENTS = ROOT / "events"


@dataclass(frozen=True)
class Golden:
    """A golden API event, read as the request that a client sends."""

    operation: str
    event: dict[str, Any]

    @property
    def method(self) -> str:
        """Of HTTP."""
        return str(self.event["httpMethod"])

    @property
    def path(self) -> str:
        """Percent-encoded, as API Gateway hands it over."""
        return str(self.event["path"])

    @property
    def query(self) -> dict[str, str]:
        """Of the URL."""
        return self.event["queryStringParameters"] or {}

    @property
    def url(self) -> str:
        """Path and query."""
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")

    @property
    def text(self) -> str:
        """The body as it is sent; empty if there is none."""
        return self.event["body"] or ""

    @property
    def body(self) -> dict[str, Any] | None:
        """The body, read."""
        return json.loads(self.text) if self.text else None

    @property
    def key(self) -> str | None:
        """The idempotency key of an order."""
        key: str | None = self.event["headers"].get("Idempotency-Key")
        return key

    @property
    def parameters(self) -> dict[str, str]:
        """What stands in path and query, decoded."""
        in_path = self.event["pathParameters"] or {}
        return {**{name: unquote(value) for name, value in in_path.items()}, **self.query}

    @property
    def fields(self) -> dict[str, Any]:
        """Body and parameters, as the request model takes them."""
        model = FUNCTIONS[self.operation].request
        assert model is not None, self.operation
        facts = model.model_json_schema()["properties"]
        numbers = {
            name
            for name, fact in facts.items()
            if any(kind.get("type") == "integer" for kind in (fact, *fact.get("anyOf", ())))
        }
        given = {**(self.body or {}), **self.parameters}
        return {name: int(value) if name in numbers else value for name, value in given.items()}


def golden_event(operation: str, kind: str = "api") -> dict[str, Any]:
    """The golden event of a function: of kind `api`, and of an order also `sweep` and `standing_order`.

    Of a reconciliation: `night`.
    """
    event: dict[str, Any] = json.loads((EVENTS / f"{FUNCTIONS[operation].folder}.{kind}.json").read_text())
    return event


def golden(operation: str) -> Golden:
    """The golden API event of a function, as a client sends it."""
    return Golden(operation, golden_event(operation))
