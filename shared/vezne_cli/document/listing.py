"""GET /operations in the document: its parameters and its answer."""

from typing import Any

from vezne.api.list_operations import LARGEST_LIMIT, STATUSES, USUAL_LIMIT

from vezne_cli.document.parts import TIME

PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "status": ({"enum": list(STATUSES)}, "Only those of this status"),
    "operation": ({"type": "string"}, "Only those of this operation, such as paynet.capture"),
    "from": (TIME, "Only those made at this time or later, with an offset"),
    "to": (TIME, "Only those made before this time, with an offset"),
    "key": (
        {"type": "string", "minLength": 1, "maxLength": 255},
        "Only those under this Idempotency-Key of yours: one of each operation at most, and all in one page",
    ),
    "reference": (
        {"type": "string", "minLength": 1, "maxLength": 100},
        "Only those that were given this reference of yours",
    ),
    "cursor": (
        {"type": "string"},
        "The next_cursor of a page, to get the one after it; with the same other parameters",
    ),
    "limit": (
        {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": USUAL_LIMIT},
        "How many at most; a page may have fewer and not be the last",
    ),
}


def operation(
    tag: str, scope: str, security: dict[str, Any], example: dict[str, Any], refusals: dict[str, Any]
) -> dict[str, Any]:
    """The route. `example`: an operation as it is read."""
    schema = {
        "type": "object",
        "properties": {
            "operations": {"type": "array", "items": {"$ref": "#/components/schemas/operation"}},
            "next_cursor": {"type": "string", "description": "Names the page after this one; absent at the end"},
        },
        "required": ["operations"],
    }
    content = {"application/json": {"schema": schema, "example": {"operations": [example]}}}
    return {
        "operationId": "operations.list",
        "tags": [tag],
        "summary": "List your own operations, newest first",
        "description": "Moves nothing. An order is listed a moment after it was made, and until its record expires.\n\n"
        f"Scope: `{scope}`.",
        **security,
        "parameters": [
            {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
            for name, (schema, text) in PARAMETERS.items()
        ],
        "responses": {"200": {"description": "A page of them", "content": content}, **refusals},
    }
