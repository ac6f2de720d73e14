"""What a caller sent: body and path, read exactly and validated. A refusal has place and reason, no value."""

import base64
import json
import re
from decimal import Decimal
from typing import Any, get_args

from pydantic import ValidationError

from vezne.api import problems
from vezne.api.responses import Event, header_values, path_parameters, shown
from vezne.providers.models import RequestModel

LONGEST_BODY = 64 * 1024
LONGEST_INTEGER = 18
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)


def read_request(model: type[RequestModel], fields: dict[str, Any], event: Event, place: str) -> Any:
    """The validated request: `fields`, which came in `place`, and the path. Raises problems.Problem."""
    in_path = _with_numbers(model, path_parameters(event))
    fields = _with_numbers(model, fields) if place == "query" else fields
    for name in in_path:
        if name in fields:
            raise invalid(f"{place}.{name}", "belongs into the path")
    return validated(model, {**fields, **in_path}, frozenset(in_path), place)


def _with_numbers(model: type[RequestModel], texts: dict[str, str]) -> dict[str, Any]:
    """Texts of a URL, as numbers where the model has a number."""
    numbers = {name for name, field in model.model_fields.items() if _is_number(field.annotation)}
    return {name: int(text) if name in numbers and _DIGITS.fullmatch(text) else text for name, text in texts.items()}


def _is_number(kind: Any) -> bool:
    return kind is int or any(map(_is_number, get_args(kind)))


def read_body(event: Event) -> dict[str, Any]:
    """The JSON object in the body, its numbers exact. Raises problems.Problem."""
    content_type = (header_values(event, "content-type") or [""])[0].split(";")[0].strip().lower()
    if content_type != "application/json":
        raise problems.UnsupportedMediaType("Send the body with Content-Type: application/json.")
    text = event.get("body") or ""
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        if len(raw) > LONGEST_BODY:
            raise problems.TooLarge("The body may have at most 65536 bytes.")
        body = _parse(raw.decode())
    except UnicodeError:
        raise invalid("body", "must be UTF-8") from None
    except RecursionError:
        raise invalid("body", "is nested too deeply") from None
    except ValueError as error:
        # Only our own errors have a safe text. The parser's text quotes the body.
        raise invalid("body", str(error) if type(error) is RefusedJsonError else "must be JSON") from None
    if not isinstance(body, dict):
        raise invalid("body", "must be a JSON object")
    return body


class RefusedJsonError(ValueError):
    """JSON that we refuse. The text is ours."""


def _parse(text: str) -> Any:
    return json.loads(
        text, parse_float=Decimal, parse_int=_short_integer, parse_constant=_no_constant, object_pairs_hook=_unique
    )


def _short_integer(text: str) -> int:
    if len(text.lstrip("-")) > LONGEST_INTEGER:
        raise RefusedJsonError("must not have an integer of more than 18 digits")
    return int(text)


def _no_constant(_: str) -> Any:
    raise RefusedJsonError("must not have NaN or Infinity")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise RefusedJsonError("must not name a member twice")
    return content


def validated(
    model: type[RequestModel], fields: Any, in_path: frozenset[str] = frozenset(), place: str = "body"
) -> Any:
    """The request these fields make. Raises problems.InvalidRequest."""
    try:
        # JSON can contain half of a surrogate pair. It cannot be sent to a provider, nor answered.
        json.dumps(fields, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise invalid(place, "must not have half of a surrogate pair") from None
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise problems.InvalidRequest(_places(model, error, in_path, place)) from None


def _places(
    model: type[RequestModel], error: ValidationError, in_path: frozenset[str], place: str
) -> list[dict[str, str]]:
    """Where and why, without a value."""
    from vezne.api.reasons import reason

    found = []
    for one in error.errors(include_url=False, include_input=False):
        parts = one["loc"]
        root = "path" if parts and parts[0] in in_path else place
        found.append({"place": shown(root, *parts), "reason": reason(one, model, shown)})
    return found


def invalid(place: str, reason: str) -> problems.Problem:
    """One place and one reason."""
    return problems.InvalidRequest([{"place": place, "reason": reason}])
