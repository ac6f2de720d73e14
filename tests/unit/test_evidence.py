"""The evidence rule, by itself: what may be believed, and what may not."""

from decimal import Decimal
from typing import Any

import pytest
from vezne.orders.evidence import (
    Match,
    Row,
    absent_or,
    find,
    is_amount,
    is_one_of,
    match_key,
    match_row,
    other_signs,
    refusal_code,
)
from vezne.orders.outcome import Finding, Found, Inconclusive, NotFound, Succeeded

OURS, ANOTHER, UNCLEAR = Match.OURS, Match.ANOTHER, Match.UNCLEAR


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        (("code-1",), OURS), (("code-1", None), OURS), (("code-1", "code-1"), OURS), (("code-2",), ANOTHER),
        ((12,), ANOTHER), (("code-2", None), ANOTHER), ((), UNCLEAR), ((None, None), UNCLEAR), (("",), UNCLEAR),
        (("  ",), UNCLEAR), (("CODE-1",), UNCLEAR), ((" code-1",), UNCLEAR), (("code-1", "code-2"), UNCLEAR),
        ((["code-1"],), UNCLEAR), (({"code": "code-1"},), UNCLEAR), ((True,), UNCLEAR), ((Decimal("1.5"),), UNCLEAR),
    ],
)  # fmt: skip
def test_a_key_is_ours_to_the_letter_anothers_if_it_is_clearly_another_else_unclear(
    keys: tuple[Any, ...], match: Match
) -> None:
    assert match_key("code-1", *keys) is match


GUID = "7e591df3-2f3c-4971-9682-9e4455b35b2f"


@pytest.mark.parametrize(
    "key",
    [
        GUID.upper(), f" {GUID} ", f"{GUID}\n", GUID.replace("-", ""), f"{{{GUID}}}", GUID[:30], GUID[:20], GUID[4:],
        f"0006624-{GUID}", f"{GUID}-1", GUID.replace("1", "\uff11"),
    ],
)  # fmt: skip
def test_our_key_in_another_form_is_not_anothers(key: str) -> None:
    assert match_key(GUID, key) is UNCLEAR
    assert match_row(GUID, {"code": GUID[::-1], "reference": [{"of": key}]}, ("code",)) is UNCLEAR


@pytest.mark.parametrize(
    ("ours", "key"), [("fatura-i", "FATURA-İ"), ("FATURA-I", "fatura-ı"), ("FATURA-İ", "fatura-i")]
)
def test_turkish_capitals_are_the_same_letter(ours: str, key: str) -> None:
    assert match_key(ours, key) is UNCLEAR


def test_a_short_part_of_a_key_names_another() -> None:
    assert match_key("order-12", "order-1") is ANOTHER
    assert match_key("order-1", "order-12") is ANOTHER


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ({"code": "code-1"}, OURS), ({"no": "code-1", "code": None}, OURS), ({"code": "code-2"}, ANOTHER),
        ({"code": "code-1", "no": "code-2"}, UNCLEAR), ({}, UNCLEAR), ({"reference": "code-1"}, UNCLEAR),
        ({"code": "code-2", "reference": "CODE-1"}, UNCLEAR), ({"code": "code-2", "in": [{"a": "code-1"}]}, UNCLEAR),
        ({"code": "code-2", "reference": "code-3"}, ANOTHER), (None, UNCLEAR), ("code-2", UNCLEAR), ([], UNCLEAR),
    ],
)  # fmt: skip
def test_a_row_is_anothers_only_if_no_field_of_it_shows_our_key(row: Any, match: Match) -> None:
    assert match_row("code-1", row, ("code", "no")) is match


def test_a_status_under_a_name_that_no_page_shows_is_seen() -> None:
    row = {"Result": True, "Durum": "IPTAL", "in": {"PaymentState": 3}, "StatusNote": "", "Sonuç": None, "Amount": 1}
    assert other_signs(row, {"Result"}) == ["IPTAL", 3]


@pytest.mark.parametrize("value", [Decimal("10.00"), Decimal(10), 10, "10", "10.0000"])
def test_an_amount_is_compared_by_value(value: Any) -> None:
    assert is_amount(value, Decimal("10.00"))


@pytest.mark.parametrize(
    "value",
    [None, "", "10,00", " 10", "10 TL", "1e1", True, [10], 10.0, Decimal(-10), "-10", Decimal("10.01"), "NaN"],
)
def test_anything_else_is_not_the_amount(value: Any) -> None:
    assert not is_amount(value, Decimal("10.00"))


@pytest.mark.parametrize("code", [8, "8"])
def test_a_listed_code_refuses_as_text_or_integer(code: Any) -> None:
    assert refusal_code(code, {"8"}, refuses=True) == "8"


@pytest.mark.parametrize("code", [None, "", " 8", "8 ", 8.0, Decimal(8), [8], {"code": 8}, True, "9999", 9999, "08"])
def test_no_other_form_of_a_code_refuses(code: Any) -> None:
    assert refusal_code(code, {"8", "1"}, refuses=True) is None


def test_a_listed_code_needs_a_refusing_status_and_no_sign_of_success() -> None:
    assert refusal_code("8", {"8"}, refuses=False) is None
    assert refusal_code("8", {"8"}, refuses=True, signs_of_success=[False, True]) is None
    assert refusal_code("8", {"8"}, refuses=True, signs_of_success=[False]) == "8"


def test_an_optional_field_may_be_absent_but_not_contradict() -> None:
    assert absent_or(None, lambda value: is_one_of(value, {"20"}))
    assert absent_or(20, lambda value: is_one_of(value, {"20"}))
    assert not absent_or(40, lambda value: is_one_of(value, {"20"}))


def found(rows: list[Row], *, filtered: bool = False) -> Finding:
    return find(rows, lambda content: (Succeeded({"row": content}), {"row": content}), filtered=filtered)


def test_one_row_of_ours_that_fits_is_found() -> None:
    finding = found([Row(ANOTHER, fits=False, content="a"), Row(OURS, fits=True, content="b")])
    assert finding == Found(Succeeded({"row": "b"}), {"row": "b"})


@pytest.mark.parametrize("filtered", [True, False])
@pytest.mark.parametrize(
    "rows",
    [
        [Row(UNCLEAR, fits=True, content="a")],
        [Row(ANOTHER, fits=True, content="a"), Row(UNCLEAR, fits=False, content="b")],
        [Row(OURS, fits=False, content="a")],
        [Row(OURS, fits=True, content="a"), Row(OURS, fits=True, content="b")],
        [Row(OURS, fits=True, content="a"), Row(OURS, fits=False, content="b")],
    ],
)
def test_rows_that_are_unclear_many_or_do_not_fit_prove_nothing(rows: list[Row], filtered: bool) -> None:
    assert isinstance(found(rows, filtered=filtered), Inconclusive)


def test_an_unclear_row_beside_ours_counts_only_if_the_provider_chose_the_rows() -> None:
    rows = [Row(OURS, fits=True, content="a"), Row(UNCLEAR, fits=True, content="b")]
    assert isinstance(found(rows), Found)
    assert isinstance(found(rows, filtered=True), Inconclusive)


def test_no_row_and_only_others_rows_are_not_found() -> None:
    assert found([]) == NotFound({"rows": "0"})
    assert found([Row(ANOTHER, fits=True, content="a")]) == NotFound({"rows": "1"})
