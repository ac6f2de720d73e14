"""The problems: a schema and an example of each, and what a route may answer with, by HTTP status."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

from vezne.api import problems
from vezne.orders import record

from vezne_cli.document.parts import OPERATION_ID, REPLAYED, RETRY_AFTER, SETTLED_BY
from vezne_cli.processes import ROOT
from vezne_cli.template import source

PROBLEMS = ROOT / "functions" / "reference" / "problems.json"
WAIT = ("409", "429", "500", "503", "504")
# What a problem tells beside the members that all have, by its code.
ERRORS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["place", "reason"],
        "properties": {"place": {"type": "string"}, "reason": {"type": "string"}},
    },
    "description": "Where and why, never the value",
}
REASON = {
    "provider_code": {"type": "string", "description": "The provider's own code"},
    "provider_text": {"type": "string", "description": "The provider's own text, masked"},
}
BY_WHOM = {"settled_by": SETTLED_BY}
HOLDER = {"holder": {**OPERATION_ID, "description": "The other operation, if it is yours"}}
FURTHER: dict[str, dict[str, Any]] = {
    "invalid-request": {"errors": ERRORS},
    "declined": {**REASON, **BY_WHOM},
    "not-executed": BY_WHOM,
    "held-by-another-operation": HOLDER,
    "inquiry-refused": REASON,
}

# Such a member in an example that is composed.
SHOWN = {
    "errors": [{"place": "body.amount", "reason": "must be greater than 0"}],
    "provider_code": "51",
    "provider_text": "Yetersiz bakiye",
    "settled_by": record.LOOK_UP,
    "holder": f"op_{'a' * 26}",
}


def texts() -> dict[str, dict[str, Any]]:
    """What the page of each problem says, by its code."""
    found: dict[str, dict[str, Any]] = json.loads(PROBLEMS.read_text())
    return found


def schemas() -> dict[str, dict[str, Any]]:
    """Component name -> the schema of one kind of problem (RFC 9457)."""
    return {_name(code): _schema(code, told) for code, told in texts().items()}


def examples(recorded: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Component name -> an example of one kind of problem: as it was recorded, as the gateway has it, or composed."""
    seen = {body["code"]: body for answers in recorded.values() for body in answers.values() if "code" in body}
    known = {**_composed(), **dict(_of_the_gateway()), **seen}
    return {_name(code): {"summary": told["title"], "value": known[code]} for code, told in texts().items()}


def responses(codes: list[str]) -> dict[str, Any]:
    """The answers of a route that may refuse with these problems, by status. `code` tells those of one status apart."""
    told = texts()
    by_status: dict[str, list[str]] = {}
    for code in sorted(codes, key=lambda code: int(told[code]["status"])):
        by_status.setdefault(str(told[code]["status"]), []).append(code)
    return {status: _response(status, those, told) for status, those in by_status.items()}


def _response(status: str, codes: list[str], told: dict[str, dict[str, Any]]) -> dict[str, Any]:
    content = {
        "schema": one_of("code", {code: _place(code) for code in codes}),
        "examples": {code: {"$ref": f"#/components/examples/{_name(code)}"} for code in codes},
    }
    headers = RETRY_AFTER if status in WAIT else REPLAYED if status == "402" else {}
    return {
        "description": "; ".join(told[code]["title"] for code in codes),
        "content": {"application/problem+json": content},
        **({"headers": headers} if headers else {}),
    }


def one_of(property_name: str, places: dict[str, str]) -> dict[str, Any]:
    """One of several schemas, told apart by a property: its value -> the schema's place. The one, if there is one."""
    if len(places) == 1:
        return {"$ref": next(iter(places.values()))}
    return {
        "oneOf": [{"$ref": place} for place in places.values()],
        "discriminator": {"propertyName": property_name, "mapping": places},
    }


def _name(code: str) -> str:
    return f"problem.{code}"


def _place(code: str) -> str:
    return f"#/components/schemas/{_name(code)}"


def _schema(code: str, told: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "pattern": f"^(/[^/]+)?/problems/{code}$",
            "description": "The page about this problem, relative to the URL that was called",
        },
        "code": {"const": code, "description": "Which problem it is: the last part of type"},
        "title": {"type": "string"},
        "status": {"const": told["status"]},
        "detail": {"type": "string"},
        "money": {"enum": told["money"], "description": "What happened to the money"},
        "retry": {"enum": told["retry"], "description": "Under which key to send again, if at all"},
        "operation_id": {**OPERATION_ID, "description": "The order's operation, once it is known"},
    }
    return {
        "type": "object",
        "description": f"{told['happened']} {told['do']}",
        "properties": properties | FURTHER.get(code, {}),
        "required": ["type", "code", "title", "status", "money", "retry"],
    }


def _of_the_gateway() -> Iterator[tuple[str, dict[str, Any]]]:
    """The gateway's own refusals, as the template has them."""
    for response in source()["Resources"]["Api"]["Properties"]["GatewayResponses"].values():
        template, _ = response["ResponseTemplates"]["application/json"]["Fn::Sub"]
        body = json.loads(template.replace("${StagePath}", "/live"))
        yield body["code"], body


def _composed() -> dict[str, dict[str, Any]]:
    """What the code's own problems say. The detail differs by the place in the code: here it is the page's text."""
    told = texts()
    return {
        kind.slug: {
            "type": f"/live/problems/{kind.slug}",
            "code": kind.slug,
            "title": kind.title,
            "status": kind.status,
            "detail": told[kind.slug]["happened"],
            "money": kind.money,
            "retry": kind.retry,
            **{member: SHOWN[member] for member in FURTHER.get(kind.slug, {})},
        }
        for _, kind in inspect.getmembers(problems, inspect.isclass)
        if issubclass(kind, problems.Problem) and kind is not problems.Problem
    }
