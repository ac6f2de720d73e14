"""The dry run of an order in the document: its header and its answers."""

from typing import Any

from vezne_cli.document.parts import OPERATION_ID

HEADER = {
    "name": "Vezne-Dry-Run",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "enum": ["true"]},
    "description": "Show what the order would send, and send and keep nothing. A dry run needs no Idempotency-Key:"
    " without one, a deployment that does not know this header refuses the request instead of sending it",
}
SHOWN = {
    "type": "object",
    "description": "The provider's request. What comes from credentials is ***, and numbers of cards, accounts and"
    " persons are masked",
    "properties": {
        "method": {"type": "string"},
        "host": {"type": "string"},
        "path": {"type": "string"},
        "query": {"type": "string"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "body": {"description": "JSON, or the fields of a form, each with its values"},
    },
    "required": ["method", "host", "path", "headers", "body"],
}
# Status -> the schema's name.
STATUSES = {"would_send": "dry_run.would_send", "would_not_send": "dry_run.would_not_send"}


def schemas() -> dict[str, Any]:
    """Component name -> schema."""
    operation = {"type": "string"}
    return {
        STATUSES["would_send"]: _schema(
            "A dry run: what the order would send. Nothing was sent",
            {"status": {"const": "would_send"}, "operation": operation, "money": {"const": "not_moved"}},
        ),
        STATUSES["would_not_send"]: _schema(
            "A dry run under a key that has an order: it would be answered, and nothing sent. money is that order's",
            {"status": {"const": "would_not_send"}, "operation": operation, "operation_id": OPERATION_ID,
             "money": {"enum": ["moved", "not_moved", "unknown"]}},
        ),
    }  # fmt: skip


def _schema(text: str, properties: dict[str, Any]) -> dict[str, Any]:
    told = {**properties, "request": SHOWN}
    return {"type": "object", "description": text, "properties": told, "required": list(told)}


def either(succeeded: str) -> dict[str, Any]:
    """The schema of a 200 to an order: a success, which this schema is of, or a dry run. `status` tells which."""
    places = {"succeeded": succeeded, **{name: f"#/components/schemas/{schema}" for name, schema in STATUSES.items()}}
    return {
        "oneOf": [{"$ref": place} for place in places.values()],
        "discriminator": {"propertyName": "status", "mapping": places},
    }
