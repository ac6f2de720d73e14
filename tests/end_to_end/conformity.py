"""Whether an answer fits the document, with no field that the document does not name."""

import json
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from vezne_cli.document.document import DOCUMENT

TOLD_BY_US = {"Retry-After", "Location", "Idempotent-Replayed"}


def closed(schema: Any) -> Any:
    """The schema with no undocumented fields allowed. `raw` stays open."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    if inner.get("type") == "object" and "properties" in inner:
        inner.setdefault("additionalProperties", False)
    return inner


def closed_document() -> dict[str, Any]:
    """The checked-in document with closed schemas."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    document["components"]["schemas"] = closed(document["components"]["schemas"])
    return document


def validator(document: dict[str, Any], content: dict[str, Any]) -> Draft202012Validator:
    """The validator of one content of a response."""
    return Draft202012Validator({**content["schema"], "components": document["components"]})


def breaches(document: dict[str, Any], name: str, answer: httpx.Response) -> list[str]:
    """What an answer of the operation `name` has that the document does not allow."""
    (operation,) = [it for methods in document["paths"].values() for it in methods.values()
                    if it["operationId"] == name]  # fmt: skip
    response = operation["responses"].get(str(answer.status_code))
    if response is None:
        return [f"status {answer.status_code}"]
    content = response["content"].get(answer.headers["content-type"])
    if content is None:
        return [f"content type {answer.headers['content-type']}"]
    headers = {header for header in TOLD_BY_US if header in answer.headers} - set(response.get("headers", {}))
    errors = validator(document, content).iter_errors(answer.json())
    return [f"header {header}" for header in sorted(headers)] + [error.message for error in errors]
