"""Numbers that must not be kept do not survive in free text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from vezne.masking import LONGEST_TEXT, mask_card_number, mask_identity_number, mask_text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("kart 4111111111111111 reddedildi", "kart *** reddedildi"),
        ("4111 1111 1111 1111", "***"),
        ("4111-1111-1111-1111", "***"),
        ("TR330006100519786457841326 hatalı", "*** hatalı"),
        ("TR33 0006 1005 1978 6457 8413 26.", "***."),
        ("tr330006100519786457841326", "***"),
        ("TCKN 10000000146", "TCKN ***"),
        ("VKN 1234567890", "VKN ***"),
        ("Şube 0015, hata 233", "Şube 0015, hata 233"),
        ("ACBH000233", "ACBH000233"),
        ("Bakiye yetersiz: 123456789", "Bakiye yetersiz: 123456789"),
        ("op_aaaaaaaaaaaaaaaaaaaaaaaaaa", "op_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("", ""),
    ],
)
def test_mask_text(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Nd"]), max_size=20), st.integers(10**9, 10**18))
def test_no_long_number_survives_in_any_text(around: str, number: int) -> None:
    assert str(number) not in mask_text(f"{around}{number}{around}")


def test_text_is_cut_only_after_masking() -> None:
    """Cut first, a number at the border would be shortened below the length that is masked."""
    border = LONGEST_TEXT - 9
    masked = mask_text("x" * border + " 4111111111111111")
    assert not any(character.isdigit() for character in masked)
    assert len(mask_text("x" * 5000)) == LONGEST_TEXT


@pytest.mark.parametrize("length", range(12, 20))
def test_a_whole_card_number_keeps_six_and_four_digits(length: int) -> None:
    payload = "435508" + "0" * (length - 7)
    number = payload + luhn.calc_check_digit(payload)
    masked = mask_card_number(number)
    assert masked == f"{number[:6]}{'*' * (length - 10)}{number[-4:]}"
    assert mask_card_number(f"{number[:4]} {number[4:8]}-{number[8:]}") == masked


@pytest.mark.parametrize("text", ["435508******4358", "", "****", "12345678901"])
def test_what_is_no_whole_card_number_stays(text: str) -> None:
    assert mask_card_number(text) == text


@pytest.mark.parametrize(
    ("text", "masked"), [("10000000146", "*********46"), ("1234567890", "********90"), ("", ""), ("12", "12")]
)
def test_an_identity_number_keeps_two_characters(text: str, masked: str) -> None:
    assert mask_identity_number(text) == masked
