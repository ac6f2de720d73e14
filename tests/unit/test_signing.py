"""Signatures against vectors that the `openssl` program computes here and now, and against frozen ones."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError
from vezne.platform.signing import basic_secret_key, bearer, hmac_request_token
from vezne.providers.credentials import HasoCredentials, RequestCredentials
from vezne.providers.haso.client import signed_inquiry, signed_order
from vezne.providers.haso.inquiry_models import PaymentPlanRequest
from vezne.providers.haso.models import ExpensesRequest
from vezne.providers.http import Request

# merchantId, merchantOid, transactionCode, counterPartyAttorneyFee, expenseAmount, ipAddress, salt: the page's order.
VECTORS = {
    "plain": ("key", ("M1", "ORDER-1", "TRX-1", "10000", "23000", "203.0.113.7", "salt")),
    "Turkish letters": ("anahtarĞÜŞİÖÇ", ("Mağaza", "SİPARİŞ-ığüşöç", "İŞLEM-1", "1", "2", "203.0.113.7", "tuzŞı")),
    "empty address": ("key", ("M1", "ORDER-1", "TRX-1", "10000", "23000", "", "salt")),
    "amounts of 0": ("key", ("M1", "ORDER-1", "TRX-1", "0", "0", "203.0.113.7", "salt")),
    "amounts of 10 digits": ("key", ("M1", "ORDER-1", "TRX-1", "1234567890", "9999999999", "203.0.113.7", "salt")),
    "key longer than a block": ("k" * 65, ("M1", "O", "T", "1", "2", "", "salt")),
    "everything but the salt empty": ("key", ("", "", "", "", "", "", "salt")),
}
# Computed once by
#   printf '%s' "$message" | openssl dgst -sha256 -hmac "$key" -binary | openssl base64
FROZEN = {
    "plain": "lJLG1FI26vym4RvZXFWhj7vL8fmxJJa00SENXRm7jik=",
    "Turkish letters": "NYvzCBZzS6VQ1RsG6t5yi0lV2G1WObOZ1qQh79jNfps=",
    "empty address": "T60G8iasXYj/mQk5YSzPmDwy+VsWFa26ZTRP6nndfIA=",
    "amounts of 0": "Q5CbKEzw53IknEAaMEKWooyKy6Q/j1wgp+AQ3r3YH3I=",
    "amounts of 10 digits": "LRcd7rn6azdc7PWVNbtTUhqqbdwDUtjGUmaMHSVyXco=",
    "key longer than a block": "SF+KGy+n0ss9IrcIp5rdyBRb2hRytK3fo9vQandFEis=",
    "everything but the salt empty": "B8JlFGhcCS4SG6DGU1JyYo4bNF8qGpTD44SXYtYZACo=",
}


def openssl_token(key: str, message: str) -> str:
    """`printf message | openssl dgst -sha256 -mac HMAC -macopt hexkey:... -binary | openssl base64`."""
    program = shutil.which("openssl")
    assert program, "the openssl program is needed to compute signatures independently"
    macopt = f"hexkey:{key.encode().hex()}"
    command = [program, "dgst", "-sha256", "-mac", "HMAC", "-macopt", macopt, "-binary"]
    digest = subprocess.run(command, input=message.encode(), capture_output=True, check=True).stdout
    text = subprocess.run([program, "base64", "-A"], input=digest, capture_output=True, check=True).stdout
    return text.decode().strip()


@pytest.mark.parametrize("name", VECTORS)
def test_token_as_openssl_computes_it(name: str) -> None:
    key, parts = VECTORS[name]
    assert hmac_request_token(key, *parts) == openssl_token(key, "".join(parts))


@pytest.mark.parametrize("name", VECTORS)
def test_token_as_it_was_frozen(name: str) -> None:
    key, parts = VECTORS[name]
    assert hmac_request_token(key, *parts) == FROZEN[name]


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=7), st.integers(0, 5))
def test_only_the_joined_message_counts(parts: list[str], at: int) -> None:
    """The page shows no separator; so the split must not matter, and every character must."""
    whole = "".join(parts)
    cut = min(at, len(whole))
    assert hmac_request_token("key", *parts) == hmac_request_token("key", whole[:cut], whole[cut:])
    assert hmac_request_token("key", *parts) != hmac_request_token("key", whole, "x")
    assert hmac_request_token("key", *parts) != hmac_request_token("yek", *parts)


def haso_access(address: str) -> RequestCredentials[HasoCredentials]:
    secret = {"merchant_id": "Mağaza1", "merchant_key": "ŞifreKey", "merchant_salt": "tuz", "ip_address": address}
    return RequestCredentials(HasoCredentials.model_validate(secret), "", "v1")


def token_of(request: Request) -> str:
    return str(json.loads(request.body)["requestToken"])


def order_token(address: str, oid: str, code: str, fee: str, expense: str) -> str:
    fields = {"merchantOid": oid, "transactionCode": code, "counterPartyAttorneyFee": fee, "expenseAmount": expense}
    return token_of(signed_order("/RequestV2/SendTransactionExpense", haso_access(address), fields))


def inquiry_token(address: str, oid: str, code: str) -> str:
    fields = {"merchantOid": oid, "transactionCode": code}
    return token_of(signed_inquiry("/Index/GetPaymentsOfTransaction", haso_access(address), fields))


ADDRESSES = st.sampled_from(["203.0.113.7", "10.0.0.1", "198.51.100.255", "2001:db8::7", "::ffff:203.0.113.7"])
# Mostly what an order's message ends with.
CODES = st.text("AZaz09._/-", min_size=1, max_size=20) | st.text("0123456789.", min_size=1, max_size=20)
KURUS = st.integers(0, 10**6).map(str)


@settings(deadline=None, max_examples=300)
@given(ADDRESSES, CODES, CODES, KURUS, KURUS, st.data())
def test_no_inquiry_is_signed_like_an_order(
    address: str, oid: str, code: str, fee: str, expense: str, data: st.DataObject
) -> None:
    """However an order's message is cut into the two codes of an inquiry, with or without its address."""
    token = order_token(address, oid, code, fee, expense)
    for message in (f"{oid}{code}{fee}{expense}", f"{oid}{code}{fee}{expense}{address}"):
        cut = data.draw(st.integers(1, min(20, len(message) - 1)))
        codes = {"merchant_oid": message[:cut], "transaction_code": message[cut:]}
        try:
            PaymentPlanRequest.model_validate(codes)
            asked = inquiry_token(address, message[:cut], message[cut:])
        except ValueError:
            # Refused, by the model or before it is signed; only what ends like an address may be, or is too long.
            assert message.endswith(address) or ADDRESS_AT_THE_END.search(message) or len(message) - cut > 40
        else:
            assert asked != token


ADDRESS_AT_THE_END = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}$")


def test_an_inquiry_that_reads_like_an_order_is_another_message() -> None:
    """Without the address in the order's message, these two would be one."""
    order = order_token("203.0.113.7", "ORDER-1", "TRX-1", "10000", "23000")
    assert inquiry_token("203.0.113.7", "ORDER-1", "TRX-11000023000") != order
    with pytest.raises(ValueError, match="look like an order's"):
        inquiry_token("203.0.113.7", "ORDER-1", "TRX-11000023000203.0.113.7")
    with pytest.raises(ValueError, match="look like an order's"):
        # The address may stand across both codes.
        inquiry_token("203.0.113.7", "ORDER-1203", ".0.113.7")


@pytest.mark.parametrize(
    ("oid", "code", "fee", "expense"),
    [
        ("O 1", "T", "0", "0"), ("O", "T\n", "0", "0"), ("O", "T%201", "0", "0"), ("Ş", "T", "0", "0"),
        ("", "T", "0", "0"),
        ("O", "", "0", "0"), ("O" * 21, "T", "0", "0"), ("O", "T" * 41, "0", "0"), ("O", "T", "00", "0"),
        ("O", "T", "1.00", "0"), ("O", "T", "-1", "0"), ("O", "T", "0", ""), ("O", "T", "0", "１"),
    ],
)  # fmt: skip
def test_only_values_in_the_documented_form_are_signed(oid: str, code: str, fee: str, expense: str) -> None:
    with pytest.raises(ValueError, match="not in the form that can be signed"):
        order_token("203.0.113.7", oid, code, fee, expense)
    if (fee, expense) == ("0", "0"):
        with pytest.raises(ValueError, match="not in the form that can be signed"):
            inquiry_token("203.0.113.7", oid, code)


@pytest.mark.parametrize("model", [PaymentPlanRequest, ExpensesRequest])
@pytest.mark.parametrize(
    ("oid", "code", "fits"),
    [
        ("O-1", "TRX-1", True), ("O-1", "1.2.3", True), ("O-1", "V1.2.3.4a", True), ("O-1", "T1.2.3.4", False),
        ("O-1203", ".0.113.7", False), ("203.0", ".113.7", False),
    ],
)  # fmt: skip
def test_codes_do_not_end_like_an_address(model: Any, oid: str, code: str, fits: bool) -> None:
    amounts = {"counter_party_attorney_fee": "0", "expense_amount": "0"} if model is ExpensesRequest else {}
    fields = {"merchant_oid": oid, "transaction_code": code, **amounts}
    if fits:
        model.model_validate(fields)
        return
    with pytest.raises(ValidationError, match="must not end like an internet address"):
        model.model_validate(fields)


@pytest.mark.parametrize("address", ["", "203.0.113.7"])
def test_a_haso_request_signs_the_very_strings_it_sends(address: str) -> None:
    access = haso_access(address)
    amounts = {"counterPartyAttorneyFee": "0", "expenseAmount": "1234567890"}
    fields = {"merchantOid": "SIPARIS-1", "transactionCode": "T1", **amounts}
    request = signed_order("/RequestV2/SendTransactionExpense", access, fields)
    token = openssl_token("ŞifreKey", f"Mağaza1SIPARIS-1T101234567890{address}tuz")
    sent_address = f'"ipAddress": "{address}", ' if address else ""
    assert request.body.decode() == (
        '{"merchantId": "Mağaza1", "merchantOid": "SIPARIS-1", "transactionCode": "T1", '
        f'"counterPartyAttorneyFee": "0", "expenseAmount": "1234567890", {sent_address}"requestToken": "{token}"}}'
    )


def test_the_other_two_headers() -> None:
    assert basic_secret_key("sck_sandbox") == "Basic sck_sandbox"
    assert bearer("sandbox-token") == "Bearer sandbox-token"
