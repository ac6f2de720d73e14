"""Signatures against vectors that the `openssl` program computes here and now, and against frozen ones."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vezne.credentials import Access, HasoCredentials
from vezne.inquiries.haso import signed_request
from vezne.signing import basic_secret_key, bearer, hmac_request_token

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


@pytest.mark.parametrize("address", ["", "203.0.113.7"])
def test_a_haso_request_signs_the_very_strings_it_sends(address: str) -> None:
    secret = {"merchant_id": "Mağaza1", "merchant_key": "ŞifreKey", "merchant_salt": "tuz", "ip_address": address}
    credentials = HasoCredentials.model_validate(secret)
    access = Access(credentials, "", "v1")
    amounts = {"counterPartyAttorneyFee": "0", "expenseAmount": "1234567890"}
    fields = {"merchantOid": "SİPARİŞ", "transactionCode": "T1", **amounts}
    request = signed_request("/RequestV2/SendTransactionExpense", access, fields)
    token = openssl_token("ŞifreKey", f"Mağaza1SİPARİŞT101234567890{address}tuz")
    sent_address = f'"ipAddress": "{address}", ' if address else ""
    assert request.body.decode() == (
        '{"merchantId": "Mağaza1", "merchantOid": "SİPARİŞ", "transactionCode": "T1", "counterPartyAttorneyFee": "0", '
        f'"expenseAmount": "1234567890", {sent_address}"requestToken": "{token}"}}'
    )


def test_the_other_two_headers() -> None:
    assert basic_secret_key("sck_sandbox") == "Basic sck_sandbox"
    assert bearer("sandbox-token") == "Bearer sandbox-token"
