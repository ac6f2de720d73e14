"""Amounts stay exact through every wire form and back."""

import json
from collections.abc import Callable, Iterable
from decimal import Decimal

import pytest
import simplejson
from hypothesis import example, given, strategies as st
from vezne.platform import money

KURUS_UP_TO_10_000 = range(1, 1_000_001)


def text_of(kurus: int) -> str:
    """`1999` -> `19.99`, by digits alone."""
    digits = f"{kurus:03d}"
    return f"{digits[:-2]}.{digits[-2:]}"


def kurus_of(number: str) -> int:
    """The inverse, from any number of digits after the point, by digits alone."""
    whole, _, fraction = number.partition(".")
    assert not fraction[2:].strip("0")
    return int(whole + fraction[:2].ljust(2, "0"))


def as_json_number(value: Decimal) -> str:
    return simplejson.dumps(value, use_decimal=True)


def as_json_numbers(values: list[Decimal]) -> list[str]:
    return simplejson.dumps(values, use_decimal=True).strip("[]").split(", ")


@pytest.fixture(scope="module")
def amounts() -> list[Decimal]:
    """Every amount from 0.01 to 10,000.00, read as from a request."""
    return [money.parse_amount(text_of(kurus)) for kurus in KURUS_UP_TO_10_000]


@pytest.mark.parametrize(
    ("to_wire", "from_wire"),
    [
        pytest.param(lambda them: map(money.minor_units_text, them), int, id="minor units"),
        pytest.param(lambda them: map(money.shortest_number, them), kurus_of, id="shortest"),
        pytest.param(
            lambda them: as_json_numbers([money.json_number_one_digit(it) for it in them]), kurus_of, id="one digit"
        ),
        pytest.param(
            lambda them: as_json_numbers([money.json_number_two_digits(it) for it in them]), kurus_of, id="two digits"
        ),
        pytest.param(lambda them: (money.amount_text(it, "TRY") for it in them), kurus_of, id="our own answer"),
    ],
)
def test_every_amount_to_10_000_goes_through_the_wire_and_back(
    to_wire: Callable[[list[Decimal]], Iterable[str]], from_wire: Callable[[str], int], amounts: list[Decimal]
) -> None:
    wrong = [
        (kurus, text)
        for kurus, text in zip(KURUS_UP_TO_10_000, to_wire(amounts), strict=True)
        if from_wire(text) != kurus
    ]
    assert wrong == []


def test_every_amount_to_10_000_is_read_back_from_minor_units(amounts: list[Decimal]) -> None:
    assert list(map(money.amount_from_minor_units, map(str, KURUS_UP_TO_10_000))) == amounts


def test_a_json_number_and_a_string_are_the_same_amount() -> None:
    read = json.loads("[" + ",".join(text_of(kurus) for kurus in range(1, 100_001)) + "]", parse_float=Decimal)
    assert [money.parse_amount(number) for number in read] == [Decimal(kurus).scaleb(-2) for kurus in range(1, 100_001)]


@pytest.mark.parametrize(
    ("text", "shortest", "one_digit", "two_digits", "minor_units"),
    [
        # The literals of the providers' pages: amount=1000, "Amount": 200.0, 196.50, "10.00 TL" => "1000".
        ("1000", "1000", "1000.0", "1000.00", "100000"),
        ("1000.00", "1000", "1000.0", "1000.00", "100000"),
        ("200", "200", "200.0", "200.00", "20000"),
        ("196.5", "196.5", "196.5", "196.50", "19650"),
        ("10.00", "10", "10.0", "10.00", "1000"),
        ("0.01", "0.01", "0.01", "0.01", "1"),
        ("0.10", "0.1", "0.1", "0.10", "10"),
        ("100", "100", "100.0", "100.00", "10000"),
        # Above 2**53 kuruş and at the longest amount.
        ("90071992547409.9", "90071992547409.9", "90071992547409.9", "90071992547409.90", "9007199254740990"),
        ("9999999999999.99", "9999999999999.99", "9999999999999.99", "9999999999999.99", "999999999999999"),
    ],
)
def test_wire_literals(text: str, shortest: str, one_digit: str, two_digits: str, minor_units: str) -> None:
    amount = money.parse_amount(text)
    assert money.shortest_number(amount) == shortest
    assert as_json_number(money.json_number_one_digit(amount)) == one_digit
    assert as_json_number(money.json_number_two_digits(amount)) == two_digits
    assert money.minor_units_text(amount) == minor_units


@pytest.mark.parametrize("rate", ["0.00001", "34.123456", "0.0000000000001"])
def test_a_rate_of_exchange_keeps_its_digits(rate: str) -> None:
    assert money.shortest_number(money.parse_amount(rate)) == rate


def test_zero_in_minor_units() -> None:
    assert money.minor_units_text(Decimal("0.00")) == "0"


@pytest.mark.parametrize("to_wire", [money.minor_units_text, money.json_number_two_digits])
def test_a_fraction_of_a_kurus_is_refused_by_the_wire_form(to_wire: Callable[[Decimal], object]) -> None:
    with pytest.raises(ValueError, match="fraction of a kuruş"):
        to_wire(Decimal("1.005"))


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "-1", "+1", "1.", ".5", "01", "00.10", "1e3", "1E+2", "1,50", "1_000", "1 000", " 1", "1 ", "1\n",
        "NaN", "Infinity", "١٢", "1.5.0", "0x10", "1234567890123456", "12345678901234.56", "0.1234567890123456",
        "9" * 5000, 1.5, 10.0, float("nan"), float("inf"), True, False, None, [], {}, b"1", -1, 10**15,
        Decimal(-1), Decimal("1E+2"), Decimal("1E-7"), Decimal("NaN"), Decimal("Infinity"), Decimal("-0"),
    ],
)  # fmt: skip
def test_what_is_not_an_amount(value: object) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        money.parse_amount(value)
    shown = str(value).strip()
    assert len(shown) < 4 or shown not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "amount"),
    [("0", "0"), ("10.00", "10"), (10, "10"), (Decimal("10.00"), "10"), ("123456789012345", "123456789012345")],
)
def test_what_is_an_amount(value: object, amount: str) -> None:
    assert money.parse_amount(value) == Decimal(amount)


@given(st.text() | st.decimals() | st.integers() | st.floats() | st.booleans() | st.none())
@example("1" * 16)
def test_any_input_is_read_exactly_or_refused(value: object) -> None:
    try:
        amount = money.parse_amount(value)
    except ValueError:
        return
    assert not isinstance(value, (bool, float))
    assert amount == Decimal(value)  # type: ignore[arg-type]
    assert amount >= 0
    assert len(str(amount).replace(".", "")) <= money.LONGEST_AMOUNT


@given(st.from_regex(r"(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?", fullmatch=True))
def test_every_plain_decimal_of_up_to_15_digits_keeps_its_digits(text: str) -> None:
    assert str(money.parse_amount(text)) == text


@pytest.mark.parametrize(
    ("currency", "digits"), [("TRY", 2), ("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("CLF", 4)]
)
def test_minor_digits_of_a_currency(currency: str, digits: int) -> None:
    assert money.minor_digits(currency) == digits
    as_many = Decimal(1).scaleb(-digits) if digits else Decimal(1)
    assert money.check_minor_digits(as_many, currency) == as_many
    with pytest.raises(ValueError, match=f"at most {digits} digits"):
        money.check_minor_digits(Decimal(1).scaleb(-digits - 1), currency)


@pytest.mark.parametrize("value", ["TL", "try", "Try", "TRYX", "", "XAU", "XTS", "XXX", 949, None, ["TRY"]])
def test_what_is_not_a_currency_to_pay_in(value: object) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        money.parse_currency(value)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("1000", "TRY", "1000.00"), ("0.5", "TRY", "0.50"), ("1000", "JPY", "1000"), ("1.5", "KWD", "1.500")],
)
def test_the_public_form_has_all_digits_of_the_currency(amount: str, currency: str, text: str) -> None:
    assert money.amount_text(Decimal(amount), currency) == text
