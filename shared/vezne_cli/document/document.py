"""The whole document: paths from the template, schemas from the models, problems from the problem pages' texts."""

import importlib
import inspect
import json
from collections.abc import Iterable
from typing import Any

from vezne import providers
from vezne.api.responses import WHAT_TO_DO, what_to_do
from vezne.orders.record import DECLINED, FINAL, SUCCEEDED
from vezne.orders.report import COMPLETE, CONTRADICTIONS, INCOMPLETE, MOST_FINDINGS, RUNNING, FindingClass

from vezne_cli.catalogue import PROVIDERS, READ, READ_REPORTS, ROUTES, SCOPES, Function
from vezne_cli.document import dry_run, listing, refusals, schemas
from vezne_cli.document.parts import OPERATION_ID, REPLAYED, RETRY_AFTER, SETTLED_BY, TIME
from vezne_cli.golden import golden
from vezne_cli.processes import ROOT

DOCUMENT = ROOT / "functions" / "reference" / "openapi.json"
ANSWERS = ROOT / "shared" / "vezne_cli" / "document" / "answers.json"

# What the gateway answers by itself, on every route with a token.
GATEWAY = ["unauthorized", "forbidden", "route-not-found", "too-many-requests", "gateway-error", "gateway-timeout"]
PROVIDER = ["internal", "provider-rejected-credentials", "provider-unreachable", "not-enough-time"]
BODY = ["too-large", "unsupported-media-type"]
ORDER = [*PROVIDER, *BODY, "invalid-request", "declined", "not-executed", "in-progress", "idempotency-key-reused",
         "provider-down", "store-unavailable"]  # fmt: skip
INQUIRY = [*PROVIDER, "invalid-request", "inquiry-refused", "provider-answer-unreadable"]
INTRODUCTION = """\
Each operation of a Turkish payment provider, performed at most once.

**Token.** Get one at the token address of the deployment by OAuth 2 client credentials; each route names its scope.

**Orders** carry an `Idempotency-Key` of your own, one per order: 1 to 255 visible ASCII characters. Repeat the same
order under the same key as often as you like: it is performed once, and the stored outcome comes with
`Idempotent-Replayed: true`.

**Inquiries** move nothing and need no key; ask again whenever you like.

Every order may have a `reference` and `metadata` of your own. They are kept and answered, never sent to the provider,
and no part of what makes two requests the same: the first ones under a key stay.

**Answers** to all operations have `amount`, `currency`, `provider_reference` and `booked_at` in one form, as far as
they are known. `result` has the provider's own fields, in the provider's form.

**Amounts** are decimal strings or JSON numbers in major units and are read exactly. Currencies are ISO 4217.
**Text** is one line of visible characters without blanks at its ends, and is sent as given.

**Problems** say in `money` what happened to the money and in `retry` what to do. `code` tells which problem it is;
`type`, resolved against the URL that was called, leads to a page about it.

## Unknown outcomes

**202** means that the order was sent, or may have been, and that nobody knows yet whether the money moved: the
provider gave no answer, or none that proves anything. It is neither a success nor a failure.

1. Keep the key. Never send the order again under a new key: it could move the money a second time.
2. Wait as long as `Retry-After` says, then read the operation at `Location`, or send the same order with the same key.
   Such a repetition looks the order up at the provider, where that is possible. It is sent to the provider again only
   where the provider has shown that it never booked it and refuses doubles besides.
3. Go on until `status` is final: `succeeded`, `declined` or `not_executed`. What no look-up can tell, the nightly
   comparison with the provider's own list or an operator decides; `settled_by` says who it was.

Only after `declined` or `not_executed` is a further attempt a new order with a new key. A problem whose `money` is
`unknown` asks for the same care."""
UNKNOWN = "The outcome is not known yet: never send it under a new key. See Unknown outcomes, above"
REFUSAL = {
    "description": "The provider's code and text",
    "type": "object",
    "properties": {"code": {"type": "string"}, "text": {"type": "string"}},
    "required": ["code", "text"],
}
SETTLED_BY_HAND = "#/components/schemas/SettledByHand"


def text(document: dict[str, Any]) -> str:
    """The document as it is checked in."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def build() -> dict[str, Any]:
    """Generate the document."""
    found = list(ROUTES.values())
    paths: dict[str, Any] = {}
    for route in found:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    paths["/operations"] = {"get": _list()}
    paths["/health"] = {"get": _health([f"vezne/{scope}" for scope in SCOPES])}
    paths["/reconciliations/{provider}/{date}"] = {"get": _report()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vezne",
            "version": "1.0.0",
            "summary": "Turkish payment providers behind one API: every order at most once, no outcome guessed or lost",
            "description": INTRODUCTION,
            "contact": {"name": "Those who run this deployment"},
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        # Relative to where the document is served, so it fits every stage and domain.
        "servers": [{"url": ".", "description": "The deployment that serves this document"}],
        "tags": [{"name": name, "description": _tag_meaning(name)} for name in dict.fromkeys(map(_tag, found))],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": _security()},
            "schemas": _schemas(found),
            "examples": refusals.examples(_recorded()),
        },
    }


def _security() -> dict[str, Any]:
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of the deployment's user pool, by OAuth 2 client credentials (TokenUrl),"
        " with one of the scopes in the operation's x-scopes",
    }


def _secured(scopes: list[str]) -> dict[str, Any]:
    """A token with one of the scopes. Only OAuth schemes may list scopes, and such a scheme names its token address."""
    return {"security": [{"token": []}], "x-scopes": scopes}


def _list() -> dict[str, Any]:
    example = _recorded().get(READ.name, {}).get("200", {})
    refused = refusals.responses([*GATEWAY, "invalid-request", "store-unavailable", "internal"])
    return listing.operation(_tag(READ), READ.scope, _secured([READ.scope]), example, refused)


def _health(scopes: list[str]) -> dict[str, Any]:
    """How the providers are; the function that reads operations answers it."""
    provider = {
        "type": "object",
        "properties": {
            "status": {"enum": ["up", "degraded", "down"],
                       "description": "down: no order is sent to it; degraded: one at a time, to try it"},
            "since": {**TIME, "description": "When it last went down or came back; absent if it never went down"},
        },
        "required": ["status"],
    }  # fmt: skip
    schema = {
        "type": "object",
        "properties": {"providers": {"type": "object", "additionalProperties": provider}},
        "required": ["providers"],
    }
    example = {"providers": {"paynet": {"status": "down", "since": "2026-11-27T09:12:00.000Z"}}}
    answers = {"200": {"description": "How each provider is",
                       "content": {"application/json": {"schema": schema, "example": example}}}}  # fmt: skip
    return {
        "operationId": "health",
        "tags": [_tag(READ)],
        "summary": "Tell how each provider is",
        "description": "Moves nothing.\n\nScope: any one of them.",
        **_secured(scopes),
        "parameters": [],
        "responses": {**answers, **refusals.responses([*GATEWAY, "store-unavailable", "internal"])},
    }


def _findings(classes: Iterable[str], description: str) -> dict[str, Any]:
    finding = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "The same in each run that finds it"},
            "class": {"enum": sorted(classes)},
            "operation_id": OPERATION_ID,
            "resolved_at": {**TIME, "description": "When a person had dealt with it; absent while it is open"},
            "resolution": {"type": "string", "description": "What came of it, in that person's words"},
        },
        "required": ["id", "class"],
        "additionalProperties": {"type": "string"},
    }
    return {"type": "array", "items": finding, "description": f"{description}, at most {MOST_FINDINGS}"}


def _report() -> dict[str, Any]:
    """What a provider's day came to; the function that reads operations answers it, too."""
    whole = {"type": "integer", "minimum": 0}
    properties: dict[str, Any] = {
        "provider": {"enum": list(PROVIDERS)},
        "date": {"type": "string", "format": "date", "description": "The day in Türkiye"},
        "status": {"enum": [RUNNING, COMPLETE, INCOMPLETE],
                   "description": "incomplete: the list was not read to its end, so the day may not be clean"},
        "clean": {"type": "boolean", "description": "The list was read to its end, and no contradiction is open"},
        "open_contradictions": {**whole, "description": "Contradictions that nobody has resolved"},
        "open_later_events": {**whole, "description": "Later events that nobody has resolved; no contradictions"},
        "started_at": TIME,
        "finished_at": TIME,
        "counts": {"type": "object", "description": "Orders and rows by what they came to",
                   "properties": {name.value: whole for name in FindingClass},
                   "required": [name.value for name in FindingClass]},
        "findings": _findings(CONTRADICTIONS, "What contradicts our records"),
        "later_events": _findings([FindingClass.LATER_EVENT], "What was reversed, returned or charged back later"),
        "file": {"type": "string", "description": "Where all of it stands in the archive's bucket"},
        "notes": {"type": "object", "additionalProperties": {"type": "string"},
                  "description": "What else the provider said, as information"},
    }  # fmt: skip
    optional = {"finished_at", "file", "notes"}
    schema = {"type": "object", "properties": properties,
              "required": [name for name in properties if name not in optional]}  # fmt: skip
    counts = {name.value: 1204 if name is FindingClass.MATCHED else 0 for name in FindingClass}
    example = {"provider": "paynet", "date": "2026-11-26", "status": COMPLETE, "clean": True,
               "open_contradictions": 0, "open_later_events": 0,
               "started_at": "2026-11-27T00:30:01.000Z", "finished_at": "2026-11-27T00:30:09.000Z", "counts": counts,
               "findings": [], "later_events": [], "file": "reconciliations/paynet/2026-11-26.csv"}  # fmt: skip
    return {
        "operationId": READ_REPORTS,
        "tags": [_tag(READ)],
        "summary": "Read how our orders of a day compare with the provider's own list",
        "description": f"Moves nothing. It is of the orders of all clients.\n\nScope: `vezne/{READ_REPORTS}`.",
        **_secured([f"vezne/{READ_REPORTS}"]),
        "parameters": [
            {"name": name, "in": "path", "required": True, "example": example[name], "schema": properties[name],
             "description": text}
            for name, text in (("provider", "The provider's name"), ("date", "The day in Türkiye"))
        ],
        "responses": {
            "200": {"description": "The report as it stands",
                    "content": {"application/json": {"schema": schema, "example": example}}},
            **refusals.responses(
                [*GATEWAY, "invalid-request", "report-not-found", "store-unavailable", "internal"]
            ),
        },
    }  # fmt: skip


def _tag(route: Function) -> str:
    return "Operations" if route is READ else route.provider


def _tag_meaning(tag: str) -> str:
    """What a provider's package says of itself."""
    if tag == _tag(READ):
        return "What became of an order, how each provider is, and what a day came to"
    meaning = inspect.getdoc(importlib.import_module(f"{providers.__name__}.{tag}"))
    assert meaning is not None
    return meaning.rstrip(".")


def _operation(route: Function) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [_tag(route)],
        "summary": route.summary,
        "description": _description(route),
        **_secured([route.scope]),
        "parameters": _parameters(route),
    }
    if route.in_body:
        content = {"schema": _body_schema(route), "example": golden(route.name).body}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    operation["responses"] = _responses(route)
    return operation


def _description(route: Function) -> str:
    kind = {True: "Moves money: at most once per key.", False: "Moves nothing."}[route.is_order]
    parts = (route.description, _needed(route), kind, f"Scope: `{route.scope}`.")
    return "\n\n".join(part for part in parts if part)


def _needed(route: Function) -> str:
    """Of parameters in the query OpenAPI cannot say that one of several is needed; of a body the schema says so."""
    names = route.request.at_least_one_of if route.request and not route.in_body else ()
    return f"At least one of {', '.join(f'`{name}`' for name in names)} is needed." if names else ""


def _in_path(route: Function) -> list[str]:
    return [part[1:-1] for part in route.path.split("/") if part.startswith("{")]


def _parameters(route: Function) -> list[dict[str, Any]]:
    given = golden(route.name).parameters
    if route.request is None:
        return [
            {"name": "operation_id", "in": "path", "required": True, "schema": {"type": "string"},
             "description": "The operation's id, as the order's answer gave it"}
        ]  # fmt: skip
    schema = schemas.requests([route.request])[route.request.__name__]
    found = []
    for name, content in schema["properties"].items():
        place = "path" if name in _in_path(route) else "query"
        if place == "query" and route.in_body:
            continue
        kept = {key: value for key, value in content.items() if key != "description"}
        parameter = {"name": name, "in": place, "required": name in schema.get("required", []),
                     "description": content["description"], "schema": kept}  # fmt: skip
        if name in given:
            parameter["example"] = int(given[name]) if kept.get("type") == "integer" else given[name]
        found.append(parameter)
    if route.is_order:
        found.append(
            {"name": "Idempotency-Key", "in": "header", "required": True, "example": golden(route.name).key,
             "description": "One per order; the same for every repetition of it",
             "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "minLength": 1, "maxLength": 255}}
        )  # fmt: skip
        found.append(dry_run.HEADER)
    return found


def _body_schema(route: Function) -> dict[str, Any]:
    """The request model without what the path holds."""
    assert route.request is not None
    name = route.request.__name__
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas(found: list[Function]) -> dict[str, Any]:
    components = schemas.requests([route.request for route in found if route.request and route.in_body])
    for route in found:
        if not (route.in_body and route.request):
            continue
        schema = components[route.request.__name__]
        if route.is_order:
            schema["properties"] |= schemas.label()
        for name in _in_path(route):
            del schema["properties"][name]
            schema["required"] = [required for required in schema["required"] if required != name]
    components |= schemas.results([route.result for route in found if route.result])
    components |= refusals.schemas() | dry_run.schemas()
    for route in found:
        if route.is_order:
            components[_name(route)] = _any_status(route)
            components |= {f"{_name(route)}.{status}": _resource(route, status) for status in WHAT_TO_DO}
    components["operation"] = _any_stored([route for route in found if route.is_order])
    components["SettledByHand"] = {
        "type": "object",
        "maxProperties": 0,
        "description": "An operator decided that the operation succeeded, so there is no answer of the provider's",
    }
    return components


def _places(route: Function) -> dict[str, str]:
    declared: Any = route.declaration
    places: dict[str, str] = declared.places()
    return places


def _name(route: Function) -> str:
    return f"operation.{route.name}"


def _any_status(route: Function) -> dict[str, Any]:
    """What GET /operations/{operation_id} answers of one route's order; `status` tells which it is."""
    places = {status: f"#/components/schemas/{_name(route)}.{status}" for status in WHAT_TO_DO}
    # Tools ask for a type of what is itself chosen by a property.
    return {"type": "object", **refusals.one_of("status", places)}


def _resource(route: Function, status: str) -> dict[str, Any]:
    """An operation of one route with one status, as the order's answer and GET /operations/{operation_id} have it."""
    final = "final" if status in FINAL else "may still change"
    properties: dict[str, Any] = {
        "operation_id": OPERATION_ID,
        "operation": {"const": route.name},
        "status": {"const": status, "description": final},
        **{name: {"const": value} for name, value in what_to_do(status, _places(route)).items()},
        "created_at": TIME,
        "updated_at": TIME,
        **({"result": _result(route)} if status == SUCCEEDED else {}),
        **({"refusal": REFUSAL} if status == DECLINED else {}),
    }
    optional = {**_envelope(), **({"settled_by": SETTLED_BY} if status in FINAL else {})}
    return {"type": "object", "properties": properties | optional, "required": list(properties)}


def _envelope() -> dict[str, Any]:
    """What is the same in the answer to every operation; what is not known is absent."""
    own = {name: {**content, "description": f"{content['description']}; as the first order under the key gave it"}
           for name, content in schemas.label().items()}  # fmt: skip
    return {
        "amount": {**schemas.DECIMAL, "description": "What was ordered, or else what the provider answered, in major"
                   " units with the currency's digits. HASO: the new total"},
        "currency": {"type": "string", "description": "ISO 4217"},
        "provider_reference": {"type": "string", "description": "How the provider knows the payment"},
        "booked_at": {**TIME, "description": "When the provider booked it, in UTC; absent if its answer has no time"},
        **own,
    }  # fmt: skip


def _result(route: Function) -> dict[str, Any]:
    """What came of a success: the provider's answer, or nothing if an operator decided it."""
    assert route.result is not None
    # Not one of both: a provider that answers hardly anything makes the first as empty as the second.
    return {"anyOf": [{"$ref": f"#/components/schemas/{route.result.__name__}"}, {"$ref": SETTLED_BY_HAND}]}


def _any_stored(orders: list[Function]) -> dict[str, Any]:
    """Any route's; `operation` tells which."""
    places = {route.name: f"#/components/schemas/{_name(route)}" for route in orders}
    return refusals.one_of("operation", places)


def _slugs(route: Function) -> list[str]:
    if route is READ:
        return [*GATEWAY, "operation-not-found", "store-unavailable", "internal"]
    if not route.is_order:
        return [*GATEWAY, *INQUIRY, *(BODY if route.in_body else [])]
    guard = ["held-by-another-operation"] if route.has_guards else []
    # The kind of its guard is its alone.
    total = ["total-would-fall"] if route.name == "haso.set_expenses" else []
    parts = ["sum-exceeded"] if route.name == "paynet.request_refund" else []
    return [*GATEWAY, *ORDER, *guard, *total, *parts]


def _responses(route: Function) -> dict[str, Any]:
    responses = {"200": _success(route)}
    if route.is_order:
        location = {"Location": {"schema": {"type": "string"}, "description": "Where to read the operation"}}
        responses["202"] = {
            "description": UNKNOWN,
            "headers": {**location, **RETRY_AFTER, **REPLAYED},
            "content": {"application/json": _content(route, "202", f"{_name(route)}.unknown")},
        }
    return responses | refusals.responses(_slugs(route))


def _success(route: Function) -> dict[str, Any]:
    if route.is_order:
        content = _content(route, "200", f"{_name(route)}.succeeded")
        later = "money" in _places(route)
        said = "The request was taken: no money has moved" if later else "The order succeeded: the money moved"
        return {
            "description": f"{said}. With Vezne-Dry-Run: what it would send",
            "headers": REPLAYED,
            "content": {"application/json": {**content, "schema": dry_run.either(content["schema"]["$ref"])}},
        }
    schema = "operation" if route is READ else route.result.__name__ if route.result else ""
    headers = {"headers": RETRY_AFTER} if route is READ else {}
    return {
        "description": "The operation as it stands" if route is READ else "The provider's answer",
        **headers,
        "content": {"application/json": _content(route, "200", schema)},
    }


def _content(route: Function, status: str, schema: str) -> dict[str, Any]:
    recorded = _recorded().get(route.name, {}).get(status)
    return {"schema": {"$ref": f"#/components/schemas/{schema}"}, **({"example": recorded} if recorded else {})}


def _recorded() -> dict[str, dict[str, Any]]:
    """Answers of a local stack to the golden requests."""
    found: dict[str, dict[str, Any]] = json.loads(ANSWERS.read_text()) if ANSWERS.exists() else {}
    return found
