"""What a caller is told about a field that does not fit."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from vezne import providers
from vezne.api.problems import InvalidRequest
from vezne.api.reasons import REASONS
from vezne.api.requests import validated
from vezne.providers.models import RequestModel
from vezne.providers.paynet.models import CaptureRequest
from vezne.providers.vakifbank.models import PaymentRequest

# What pydantic may say of each kind of field of ours: the kind alone, then each of its bounds.
SAYS: dict[str, dict[str, set[str]]] = {
    "str": {
        "": {"string_type"},
        "min_length": {"string_too_short"},
        "max_length": {"string_too_long"},
        "pattern": {"string_pattern_mismatch"},
    },
    "int": {
        "": {"int_type", "int_from_float", "int_parsing"},
        "ge": {"greater_than_equal"},
        "le": {"less_than_equal"},
    },
    "bool": {"": {"bool_type", "bool_parsing"}},
    "literal": {"": {"literal_error"}},
    "list": {"": {"list_type"}, "max_length": {"too_long"}, "min_length": {"too_short"}},
    "dict": {"": {"dict_type"}, "max_length": {"too_long"}},
    "model": {"": {"model_type"}},
    "model-field": {"": {"missing"}},
    # Their inner field is another of these, or a function of ours, whose text is ours.
    **{
        kind: {"": set()}
        for kind in [
            "any",
            "decimal",
            "default",
            "function-after",
            "function-before",
            "model-fields",
            "no-info",
            "nullable",
            "with-info",
        ]
    },
}
BOUNDS = frozenset({"min_length", "max_length", "pattern", "ge", "gt", "le", "lt", "multiple_of"})


def request_models() -> Iterator[type[RequestModel]]:
    for module in pkgutil.walk_packages(providers.__path__, "vezne.providers."):
        import_module(module.name)
    waiting = [RequestModel]
    while waiting:
        waiting += (own := waiting.pop().__subclasses__())
        yield from own


def kinds(schema: Any) -> Iterator[tuple[str, frozenset[str]]]:
    """Each kind of field in a schema, with its bounds."""
    members = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, (list, tuple)) else ()
    if isinstance(schema, dict) and isinstance(schema.get("type"), str):
        yield schema["type"], frozenset(schema) & BOUNDS
    for member in members:
        yield from kinds(member)


@pytest.mark.parametrize("model", [*request_models()], ids=lambda model: model.__name__)
def test_whatever_pydantic_may_say_has_a_sentence_of_ours(model: type[RequestModel]) -> None:
    model.model_rebuild()
    told = {error for kind, bounds in kinds(model.__pydantic_core_schema__) for bound in ("", *bounds)
            for error in SAYS[kind][bound]}  # fmt: skip
    assert told
    assert told <= REASONS.keys()


def reasons(model: type[RequestModel], fields: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refused:
        validated(model, fields)
    return {error["place"]: error["reason"] for error in refused.value.members["errors"]}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"referenc_no": "x"}, {"body.referenc_no": "unknown field referenc_no; did you mean reference_no?"}),
        ({"Amount": "1.00"}, {"body.Amount": "unknown field Amount; did you mean amount?"}),
        ({"colour": "x"}, {"body.colour": "unknown field colour"}),
        # A number in the place of a name is somebody's secret, however it came there.
        ({"4355084355084358": "x"}, {"body.***": "unknown field ***"}),
        ({"xact_id": ""}, {"body.xact_id": "must not be empty"}),
        ({"xact_id": "x" * 141}, {"body.xact_id": "must have at most 140 characters"}),
        ({"xact_id": 5}, {"body.xact_id": "must be a text in quotes"}),
    ],
)
def test_an_unknown_or_malformed_field(fields: dict[str, Any], told: dict[str, str]) -> None:
    assert reasons(CaptureRequest, {"reference_no": "r", **fields}) == told


def test_a_choice_is_told_with_what_can_be_chosen() -> None:
    told = reasons(PaymentRequest, {"transaction_type": "wire", "tax_identity_check": "no"})
    assert told["body.transaction_type"] == "must be 'account', 'name', 'credit_card' or 'return'"
    assert told["body.tax_identity_check"] == "must be true or false"
    assert told["body.amount"] == "is required"
