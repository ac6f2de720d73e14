"""Numbers that must not be kept do not survive in free text."""

import functools
import timeit
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st
from stdnum import luhn
from vezne.platform.masking import (
    LONGEST_TEXT,
    mask_card_number,
    mask_email,
    mask_end,
    mask_identity_number,
    mask_name,
    mask_phone,
    mask_text,
)


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
        # However the digits are parted.
        ("kart 4111\u00a01111\u00a01111\u00a01111 red", "kart *** red"),
        ("4111/1111/1111/1111", "***"),
        ("4111_1111_1111_1111", "***"),
        ("4111,1111,1111,1111", "***"),
        ("4111\u20111111\u20111111\u20111111", "***"),
        ("4111\u20091111\u20091111\u20091111", "***"),
        ("4111\n1111\r\n1111\t1111", "***"),
        ("4111 - 1111 - 1111 - 1111", "***"),
        ("４１１１１１１１１１１１１１１１", "***"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "***"),
        ("٤١١١١١١١١١١١١١١١", "***"),
        ("100\u200b000\u200b001\u200b46", "***"),
        ("TR33\u00a00006\u00a01005\u00a01978\u00a06457\u00a08413\u00a026 için", "*** için"),
        ("GB33/BUKB/2020/1555/5555/55 için", "*** için"),
        # Text without a long number keeps its own letters and signs.
        ("Öd\u0307eme № 7 ﬁ ½ „x“", "Öd\u0307eme № 7 ﬁ ½ „x“"),
        ("ad soyad 12 34 / sıra 56", "ad soyad 12 34 / sıra 56"),
    ],
)
def test_mask_text(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@given(
    st.lists(st.text(st.sampled_from(" \u00a0./,_-\u2011\n\t|*+\u200b\u202e"), max_size=3), min_size=15, max_size=15),
    st.sampled_from(["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩"]),
    st.integers(10**15, 10**16 - 1),
)
def test_no_long_number_survives_however_it_is_parted(between: list[str], digits: str, number: int) -> None:
    text = "".join(digits[int(digit)] + gap for digit, gap in zip(str(number), [*between, ""], strict=True))
    assert mask_text(f"kart {text} red") == "kart *** red"


def test_masking_a_long_text_takes_work_in_its_proportion() -> None:
    """Each of these is as near to a number or an IBAN as can be, again and again."""
    for near in ("1 2 3 4 5 6 7 8 9 x", "TR00 ", "TR00 1111 ", "AB12-", "1" * 9 + "   -", "TR33 0006 1005 1978 x"):
        seconds = timeit.timeit(functools.partial(mask_text, near * 50_000), number=1)
        assert seconds < 10


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


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4355\u00a00843\u00a05508\u00a04358", "435508******4358"),
        ("4355/0843/5508/4358", "435508******4358"),
        ("４３５５０８４３５５０８４３５８", "435508******4358"),
        ("VISA 4355084355084358", "VISA ***"),
    ],
)
def test_a_card_number_in_another_form(text: str, masked: str) -> None:
    assert mask_card_number(text) == masked


@pytest.mark.parametrize("text", ["435508******4358", "4355 08** **** 4358", "", "****", "123456789"])
def test_what_is_no_whole_card_number_stays(text: str) -> None:
    assert mask_card_number(text) == text


@pytest.mark.parametrize(
    ("text", "masked"), [("10000000146", "*********46"), ("1234567890", "********90"), ("", ""), ("12", "12")]
)
def test_an_identity_number_keeps_two_characters(text: str, masked: str) -> None:
    assert mask_identity_number(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GJH", "G**"), ("Ayşe Yılmaz", "A** Y**"), ("  Şule   Öz ", "Ş** Ö**"), ("A", "A**"), ("", ""), (" ", ""),
        ("4111111111111111", "***"), ("5321234567 Ali", "*** A**"),
    ],
)  # fmt: skip
def test_a_name_is_masked_to_the_first_letter_of_each_word(text: str, masked: str) -> None:
    assert mask_name(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ayse@example.com", "a***@example.com"), ("a@example.com", "a***@example.com"), ("@example.com", "***"),
        ("ayse", "***"), ("x@y@example.com", "x***@example.com"), ("4111111111111111@x.com", "***@x.com"), ("", ""),
        ("ayse@5321234567", "a***@***"),
    ],
)  # fmt: skip
def test_an_email_address_keeps_its_first_letter_and_its_host(text: str, masked: str) -> None:
    assert mask_email(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"), [("+90 532 123 45 67", "***67"), ("5321234567", "***67"), ("67", "***"), ("", "")]
)
def test_a_phone_number_keeps_two_digits(text: str, masked: str) -> None:
    assert mask_phone(text) == masked


@pytest.mark.parametrize("mask", [mask_name, mask_email, mask_phone, mask_end, mask_card_number, mask_identity_number])
@given(text=st.text(max_size=30) | st.from_regex(r"[0-9 /@.-]{1,30}", fullmatch=True))
def test_what_is_masked_stays_as_it_is(mask: Callable[[str], str], text: str) -> None:
    """A stored result is read back by clients through the same types."""
    assert mask(mask(text)) == mask(text)
