"""What holds for the requests of all orders: exact types, no unknown fields, no value in any error."""

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pydantic import ValidationError
from vezne.providers.models import RequestModel

from tests.support.example import Example
from tests.support.harness import operation_of
from tests.support.operations import EXAMPLES

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def model_of(example: Example) -> type[RequestModel]:
    return operation_of(example.function).request_model


def places(model: type[RequestModel], fields: Any) -> dict[str, str]:
    """Where and why a request is refused, empty if it is not."""
    try:
        model.model_validate(fields)
    except ValidationError as error:
        return {".".join(map(str, item["loc"])): item["msg"] for item in error.errors(include_input=False)}
    return {}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_example_order_is_valid(example: Example) -> None:
    assert places(model_of(example), example.request) == {}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_unknown_field_is_refused(example: Example) -> None:
    assert places(model_of(example), {**example.request, "ammount": "1"}) == {
        "ammount": "Extra inputs are not permitted"
    }


@pytest.mark.parametrize(
    ("example", "name"),
    [
        pytest.param(example, name, id=f"{example.operation}-{name}")
        for example in EXAMPLES
        for name, field in model_of(example).model_fields.items()
        if field.is_required()
    ],
)
def test_each_required_field_is_required(example: Example, name: str) -> None:
    without = {key: value for key, value in example.request.items() if key != name}
    assert places(model_of(example), without) == {name: "Field required"}
    assert name in places(model_of(example), {**example.request, name: None})


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_exactly_the_pages_required_fields_are_required(example: Example) -> None:
    fields = model_of(example).model_fields
    assert {name for name, field in fields.items() if field.is_required()} == example.required


@pytest.mark.parametrize(
    ("example", "name", "value"),
    [
        pytest.param(example, name, value, id=f"{example.operation}-{name}-{value!r}")
        for example in EXAMPLES
        for name, given_value in example.request.items()
        for value in {
            str: [1, True, ["text"], {}],
            int: ["1", Decimal("1.0"), True, [1]],
            bool: ["true", 1, 0, "false"],
            list: ["text", 1, True, {}],
        }[type(given_value)]
        # An amount is a string in the examples, but may be a number; a path is always text.
        if not ("amount" in name or "fee" in name) or value is True or value in (["text"], {})
    ],
)
def test_types_are_exact(example: Example, name: str, value: Any) -> None:
    assert list(places(model_of(example), {**example.request, name: value})) == [name]


@pytest.mark.parametrize(
    ("example", "name"),
    [
        pytest.param(example, name, id=f"{example.operation}-{name}")
        for example in EXAMPLES
        for name in example.request
        if "amount" in name or "fee" in name
    ],
)
@pytest.mark.parametrize("value", ["-1", "1e2", "1.005", "NaN", "1,50", 1.5, "1234567890123456", "", Decimal("1E-7")])
def test_amounts_are_exact(example: Example, name: str, value: Any) -> None:
    assert name in places(model_of(example), {**example.request, name: value})


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_zero_is_an_amount_for_haso_totals_only(example: Example) -> None:
    amounts = [name for name in example.request if "amount" in name or "fee" in name]
    for name in amounts:
        refused = places(model_of(example), {**example.request, name: "0.00"})
        if example.operation == "haso.set_expenses":
            assert refused == {}
        else:
            assert refused[name] == "Value error, must be greater than 0"


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(data=st.data())
def test_no_error_text_repeats_a_value(example: Example, data: st.DataObject) -> None:
    canary = "KANARYA9876543210"
    name = data.draw(st.sampled_from(sorted(model_of(example).model_fields)))
    value = data.draw(JSON_VALUES | st.just(canary) | st.just([canary]) | st.just({"name": canary}))
    fields = {**example.request, name: value}
    texts = json.dumps(list(places(model_of(example), fields).values()))
    assert canary not in texts
    assert not (isinstance(value, str) and len(value) > 3 and value in texts)
    with contextlib.suppress(ValidationError):
        model_of(example).model_validate(fields)
        return
    assert canary not in whole_text(model_of(example), fields)


def whole_text(model: type[RequestModel], fields: Any) -> str:
    """The text of the exception itself, which a careless log line would show."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(fields)
    return str(caught.value)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_request_cannot_be_changed_after_validation(example: Example) -> None:
    request = model_of(example).model_validate(example.request)
    name = next(iter(example.request))
    with pytest.raises(ValidationError):
        setattr(request, name, "other")
