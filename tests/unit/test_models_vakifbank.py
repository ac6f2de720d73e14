"""Every conditional rule of the VakıfBank page, and the check digits of accounts, cards and persons."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError
from stdnum import luhn
from stdnum.iso7064 import mod_97_10
from stdnum.tr import tckimlik, vkn
from vezne.providers.vakifbank.models import PaymentRequest

from tests.support.operations.vakifbank_pay import REQUEST

ORDER = {**REQUEST, "credit_use": True, "receiver_account": "0", "receiver_name": None}
DIGITS = st.characters(min_codepoint=ord("0"), max_codepoint=ord("9"))


def iban_of(account: str) -> str:
    """A Turkish IBAN of 22 characters with right check digits."""
    return f"TR{mod_97_10.calc_check_digits(f'{account}TR')}{account}"


def card_of(payload: str) -> str:
    return payload + luhn.calc_check_digit(payload)


def identity_number_of(payload: str) -> str:
    return payload + tckimlik.calc_check_digits(payload)


def tax_number_of(payload: str) -> str:
    return payload + vkn.calc_check_digit(payload)


def changed_digit(number: str, at: int) -> str:
    other = str((int(number[at]) + 1) % 10)
    return number[:at] + other + number[at + 1 :]


def places(**changes: Any) -> dict[str, str]:
    """Where and why the order with these changes is refused; a change to `...` takes the field away."""
    fields = {name: value for name, value in {**ORDER, **changes}.items() if value is not ...}
    try:
        PaymentRequest.model_validate(fields)
    except ValidationError as error:
        return {
            ".".join(map(str, item["loc"])): item["msg"].removeprefix("Value error, ")
            for item in error.errors(include_input=False)
        }
    return {}


CARD = card_of("411111111111111")
IBAN = "TR330006100519786457841326"


NEEDED = "is required for this transaction_type"
EMPTY = "String should have at least 1 character"
NO_IBAN = "is not a valid IBAN"
NO_CARD = "is not a valid card number"
NO_TYPE = "Input should be 'account', 'name', 'credit_card' or 'return'"


@pytest.mark.parametrize(
    ("kind", "account", "reason"),
    [
        # 1, Hesaba: an account or IBAN, of which an IBAN is checked.
        ("account", IBAN, None),
        ("account", "00158007302166291", None),
        ("account", ..., NEEDED),
        ("account", None, NEEDED),
        ("account", "", EMPTY),
        ("account", changed_digit(IBAN, 10), NO_IBAN),
        ("account", "TR33", NO_IBAN),
        ("account", "ÇÇ330006100519786457841326", NO_IBAN),
        # The bank gets the text as it is, so what a reader of IBANs would overlook is refused.
        ("account", "TR33 0006 1005 1978 6457 8413 26", NO_IBAN),
        ("account", IBAN.lower(), NO_IBAN),
        ("account", f" {IBAN}", "must not begin or end with a blank"),
        ("account", f"{IBAN}\n", "must be one line of visible characters"),
        # 3, KrediKarti: "kredi kartı numarası olmalıdır".
        ("credit_card", CARD, None),
        ("credit_card", ..., NEEDED),
        ("credit_card", changed_digit(CARD, 3), NO_CARD),
        ("credit_card", IBAN, NO_CARD),
        ("credit_card", "0", NO_CARD),
        ("credit_card", f"{CARD[:4]} {CARD[4:]}", NO_CARD),
        # 5, Iade: nothing is conditional; an IBAN is still checked.
        ("return", ..., None),
        ("return", IBAN, None),
        ("return", changed_digit(IBAN, 25), NO_IBAN),
    ],
)
def test_the_receivers_account_fits_the_type(kind: str, account: Any, reason: str | None) -> None:
    refused = {} if reason is None else {"receiver_account": reason}
    assert places(transaction_type=kind, receiver_account=account) == refused


@pytest.mark.parametrize(
    ("account", "name", "refused"),
    [
        # 2, Isme: "bu alan boş olacaktır", and the name "dolu olacaktır".
        (..., "Oktay", {}),
        (None, "Oktay", {}),
        (..., ..., {"receiver_name": "is required for a payment to a name"}),
        (..., "", {"receiver_name": EMPTY}),
        (IBAN, "Oktay", {"receiver_account": "must be absent for a payment to a name"}),
    ],
)
def test_a_payment_to_a_name_has_a_name_and_no_account(account: Any, name: Any, refused: dict[str, str]) -> None:
    assert places(transaction_type="name", receiver_account=account, receiver_name=name) == refused


@pytest.mark.parametrize("kind", ["none", "4", 1, "Account"])
def test_the_page_has_four_types(kind: Any) -> None:
    """The enum has no 4, and 0 is "None"."""
    assert places(transaction_type=kind)["transaction_type"] == NO_TYPE


@given(st.text(DIGITS, min_size=22, max_size=22))
def test_every_iban_with_right_check_digits_fits(account: str) -> None:
    assert places(receiver_account=iban_of(account)) == {}


@given(st.text(DIGITS, min_size=22, max_size=22), st.integers(4, 25))
def test_an_iban_with_one_digit_changed_does_not_fit(account: str, at: int) -> None:
    assert places(receiver_account=changed_digit(iban_of(account), at)) == {"receiver_account": "is not a valid IBAN"}


@given(st.text(DIGITS, min_size=11, max_size=18))
def test_every_card_number_with_a_right_check_digit_fits(payload: str) -> None:
    assert places(transaction_type="credit_card", receiver_account=card_of(payload)) == {}


@given(st.text(DIGITS, min_size=11, max_size=18), st.integers(0, 11))
def test_a_card_number_with_one_digit_changed_does_not_fit(payload: str, at: int) -> None:
    number = changed_digit(card_of(payload), at)
    assert places(transaction_type="credit_card", receiver_account=number) == {
        "receiver_account": "is not a valid card number"
    }


@pytest.mark.parametrize("length", [11, 20])
def test_a_card_number_has_12_to_19_digits(length: int) -> None:
    assert places(transaction_type="credit_card", receiver_account=card_of("4" * (length - 1))) != {}


@given(st.integers(100_000_000, 999_999_999))
def test_every_identity_number_with_right_check_digits_fits(payload: int) -> None:
    number = identity_number_of(str(payload))
    assert places(receiver_identity_no=number) == {}
    assert places(chief={"identity_no": number}) == {}


@given(st.integers(100_000_000, 999_999_999), st.integers(1, 10))
def test_an_identity_number_with_one_digit_changed_does_not_fit(payload: int, at: int) -> None:
    number = changed_digit(identity_number_of(str(payload)), at)
    assert places(receiver_identity_no=number) == {"receiver_identity_no": "is not a valid TCKN"}
    assert places(chief={"identity_no": number}) == {"chief.identity_no": "is not a valid TCKN"}


@given(st.text(DIGITS, min_size=9, max_size=9))
def test_every_tax_number_with_a_right_check_digit_fits(payload: str) -> None:
    number = tax_number_of(payload)
    assert places(receiver_tax_no=number) == {}
    assert places(receiver_tax_no=changed_digit(number, 9)) == {"receiver_tax_no": "is not a valid VKN"}


@pytest.mark.parametrize("value", ["1", "abc", "1000000014", "00000000000", " ", "10000000146 "])
def test_what_is_no_identity_or_tax_number(value: str) -> None:
    assert places(receiver_identity_no=value) == {"receiver_identity_no": "is not a valid TCKN"}
    assert places(receiver_tax_no=value) == {"receiver_tax_no": "is not a valid VKN"}


def test_an_empty_number_is_an_absent_one() -> None:
    assert places(receiver_identity_no="", receiver_tax_no="", chief={"identity_no": ""}) == {}


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("2022-12-28", "2022-12-28T00:00:00"),
        ("2022-12-28T09:30:15", "2022-12-28T09:30:15"),
        ("2024-02-29", "2024-02-29T00:00:00"),
    ],
)
def test_the_payment_date_in_the_pages_form(value: str, wire: str) -> None:
    assert PaymentRequest.model_validate({**ORDER, "payment_date": value}).payment_date == wire


@pytest.mark.parametrize(
    "value",
    [
        "28.12.2022", "2022-13-01", "2023-02-29", "2022-12-28T09:30:00+03:00", "2022-12-28T09:30:00Z", "",
        "2022-12-28 09:30:00", 20221228, None, "today",
    ],
)  # fmt: skip
def test_what_is_no_payment_date(value: Any) -> None:
    assert list(places(payment_date=value)) == ["payment_date"]


@pytest.mark.parametrize(("currency", "wire"), [("TRY", "TL"), ("USD", "USD"), ("EUR", "EUR")])
def test_tl_exists_on_the_wire_only(currency: str, wire: str) -> None:
    request = PaymentRequest.model_validate({**ORDER, "currency": currency})
    assert request.wire_fields("0006624", "code")["CurrencyType"] == wire
    assert list(places(currency="TL")) == ["currency"]


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("receiver_bank_code", "ReceiverBankCode"), ("receiver_branch_code", "ReceiverBranchCode"),
        ("receiver_name", "ReceiverNameSurname"), ("explanation", "Explanation"),
        ("receiver_address", "ReceiverAddress"), ("receiver_phone", "ReceiverTelephone"),
        ("receiver_tax_office", "ReceiverAdministrationTax"), ("receiver_father_name", "ReceiverFatherName"),
        ("receiver_email", "ReceiverEmail"), ("institution_package_no", "InstitutionPackageNo"),
        ("returned_payment_date", "ComingReturnPaymentDate"), ("sender_account_no", "SenderAccountNo"),
        ("returned_transaction_query_no", "ComingReturnTransactionQueryNo"),
        ("receiver_account", "ReceivertAccountIbanNo"),
    ],
)  # fmt: skip
def test_each_text_goes_to_its_own_field(name: str, wire: str) -> None:
    fields = PaymentRequest.model_validate({**ORDER, name: "Ğ  ü"}).wire_fields("0006624", "code")
    assert [key for key, value in fields.items() if value == "Ğ  ü"] == [wire]


@pytest.mark.parametrize(
    ("name", "value", "wire"),
    [
        ("receiver_identity_no", identity_number_of("123456789"), "ReceiverIdentityNo"),
        ("receiver_tax_no", tax_number_of("123456789"), "ReceiverTaxNo"),
        ("tax_identity_check", False, "TaxIdentityCheck"),
        ("credit_use", False, "CreditUse"),
    ],
)
def test_each_checked_field_goes_to_its_own_field(name: str, value: Any, wire: str) -> None:
    before = PaymentRequest.model_validate(ORDER).wire_fields("0006624", "code")
    after = PaymentRequest.model_validate({**ORDER, name: value}).wire_fields("0006624", "code")
    assert {key: after[key] for key in after if after[key] != before[key]} == {wire: value}


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("name", "ChiefName"), ("account_no", "ChiefAccountNo"), ("address", "ChiefAdress"),
        ("country_city", "ChiefCountryCity"), ("birth_place", "ChiefBirthPlace"), ("birth_date", "ChiefBirthDate"),
        ("customer_no", "ChiefCustomerNo"),
    ],
)  # fmt: skip
def test_each_text_of_the_chief_goes_to_its_own_field(name: str, wire: str) -> None:
    fields = PaymentRequest.model_validate({**ORDER, "chief": {name: "Âmir"}}).wire_fields("0006624", "code")
    assert [key for key, value in fields.items() if value == "Âmir"] == [wire]


def test_the_chiefs_identity_number_goes_to_its_own_field() -> None:
    number = identity_number_of("123456789")
    fields = PaymentRequest.model_validate({**ORDER, "chief": {"identity_no": number}}).wire_fields("0006624", "code")
    assert [key for key, value in fields.items() if value == number] == ["ChiefIdentityNo"]


def test_an_unknown_field_of_the_chief_is_refused() -> None:
    assert places(chief={"nmae": "x"}) == {"chief.nmae": "Extra inputs are not permitted"}


def test_the_receiver_is_in_no_text_form_of_the_request() -> None:
    request = PaymentRequest.model_validate({**ORDER, "transaction_type": "credit_card", "receiver_account": CARD})
    assert CARD not in repr(request)
    assert CARD not in str(request)
