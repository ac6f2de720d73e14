"""Why a field of a request does not fit, in words for the caller. The texts of pydantic are for authors of models.

It is imported when the first request is refused, not in a cold start. No reason contains a value of the request.
"""

import difflib
from collections.abc import Callable
from typing import Any, get_args

from pydantic import BaseModel

# By pydantic's type of error. `{name}` is a value of our own rule, such as the longest length.
REASONS = {
    "missing": "is required",
    "string_type": "must be a text in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "literal_error": "must be {expected}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_pattern_mismatch": "must have the form {pattern}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
}
# How similar an unknown name must be to a known one to suggest it.
_ALIKE = 0.6


def reason(error: Any, model: type[BaseModel], shown: Callable[[str], str]) -> str:
    """One sentence about one place. `shown`: how a name that the caller chose is shown."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return _unknown_field(str(error["loc"][-1]), _fields_at(model, error["loc"][:-1]), shown)
    if kind == "string_too_short" and context["min_length"] == 1:
        return "must not be empty"
    return REASONS[kind].format(**context) if kind in REASONS else "does not fit"


def _unknown_field(name: str, known: list[str], shown: Callable[[str], str]) -> str:
    close = difflib.get_close_matches(name[:100].lower(), known, n=1, cutoff=_ALIKE)
    return f"unknown field {shown(name)}" + (f"; did you mean {close[0]}?" if close else "")


def _fields_at(model: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """The names of the fields of the object at this place of a request."""
    for name in place:
        fields = {field.alias or own: field for own, field in model.model_fields.items()}
        if name in fields:
            inner = _model_in(fields[name].annotation)
            if inner is None:
                return []
            model = inner
    return [field.alias or own for own, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `list[Item] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
