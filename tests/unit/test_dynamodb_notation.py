"""Our few lines of DynamoDB notation against boto3's, which a function does not load."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given, strategies as st
from vezne.orders.record import plain, serialize

NUMBERS = st.integers(-(10**30), 10**30) | st.decimals(-(10**12), 10**12, places=3)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_values_are_written_as_boto3_writes_them(value: Any) -> None:
    assert serialize(value) == TypeSerializer().serialize(value)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_items_are_read_as_boto3_reads_them(values: dict[str, Any]) -> None:
    item = {name: TypeSerializer().serialize(value) for name, value in values.items()}
    assert plain(item) == {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def test_true_is_no_number() -> None:
    assert serialize(True) == {"BOOL": True}
    assert serialize(1) == {"N": "1"}
    assert serialize(Decimal("1.000")) == {"N": "1.000"}


@pytest.mark.parametrize("value", [1.5, b"bytes", {1, 2}, object()])
def test_what_no_record_holds_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        serialize(value)
    with pytest.raises(TypeError):
        plain({"name": {"BS": ["1"]}})


def test_a_set_of_texts_is_read() -> None:
    assert plain({"taken": {"SS": ["a", "b"]}}) == {"taken": {"a", "b"}}
