"""KolayBi's request and answer fields."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from vezne.providers.kolaybi.models import CollectionRequest, CollectionResult

ORDER = {"associate_id": 123, "amount": "1000", "currency": "TRY", "gateway_id": 1}
DATA = {"transaction_status": "Tamamlandı", "amount": 1000, "currency": "TRY"}


def with_field(name: str, value: Any) -> CollectionRequest:
    return CollectionRequest.model_validate({**ORDER, name: value})


def test_everything_optional_is_absent() -> None:
    request = CollectionRequest.model_validate(ORDER)
    assert (request.gateway_type, request.exchange_rate, request.project_ids, request.description) == (None,) * 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("associate_id", 0), ("associate_id", -1), ("gateway_id", 0), ("gateway_type", "Vault"), ("gateway_type", ""),
        ("exchange_rate", "0"), ("exchange_rate", "-1"), ("project_ids", 7), ("project_ids", ["7"]),
        ("project_ids", [True]), ("description", 7), ("currency", "TL"), ("currency", "try"),
    ],
)  # fmt: skip
def test_what_does_not_fit(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        with_field(name, value)
    assert caught.value.errors()[0]["loc"][0] == name


@pytest.mark.parametrize(
    ("currency", "amount", "fits"),
    [
        ("TRY", "1000.00", True), ("TRY", "1000.000", False), ("JPY", "1000", True), ("JPY", "1000.5", False),
        ("JPY", "1000.0", False), ("KWD", "1.005", True), ("KWD", "1.0005", False), ("USD", "0.01", True),
    ],
)  # fmt: skip
def test_an_amount_has_at_most_the_digits_of_its_currency(currency: str, amount: str, fits: bool) -> None:
    order = {**ORDER, "currency": currency, "amount": amount}
    if fits:
        assert CollectionRequest.model_validate(order).amount == Decimal(amount)
        return
    with pytest.raises(ValidationError, match="digits after the point in this currency"):
        CollectionRequest.model_validate(order)


def test_the_amount_is_checked_whatever_comes_first_in_the_body() -> None:
    with pytest.raises(ValidationError, match="digits after the point"):
        CollectionRequest.model_validate({"amount": "1.5", **ORDER, "currency": "JPY"} | {"amount": "1.5"})


def test_an_exchange_rate_may_have_more_digits_than_money() -> None:
    assert with_field("exchange_rate", "34.123456").exchange_rate == Decimal("34.123456")


@pytest.mark.parametrize(
    ("stamp", "issue_date"),
    [
        ("2024-01-15 14:30:00", "2024-01-15T14:30:00+03:00"),
        ("2024-07-15 14:30:00", "2024-07-15T14:30:00+03:00"),
        ("2024-01-15T14:30:00Z", "2024-01-15T14:30:00+00:00"),
        (None, None),
        # No time is guessed from another form.
        ("15.01.2024 14:30", None),
        ("", None),
        (1705318200, None),
        (["2024-01-15 14:30:00"], None),
    ],
)
def test_a_stamp_without_zone_is_turkish_time(stamp: str | None, issue_date: str | None) -> None:
    assert CollectionResult.model_validate({**DATA, "issue_date": stamp}).issue_date == issue_date


@pytest.mark.parametrize("amount", ["1000", 1000, Decimal("1000.00")])
def test_the_answers_amount_may_be_text_or_number(amount: Any) -> None:
    assert CollectionResult.model_validate({**DATA, "amount": amount}).amount == 1000


def test_the_answers_unknown_fields_are_dropped_and_decimals_are_text() -> None:
    public = CollectionResult.model_validate({**DATA, "amount": Decimal("1000.50"), "id": 7}).public()
    assert public["amount"] == "1000.50"
    assert "id" not in public
