"""Keeps card numbers, IBANs and identity numbers out of text that others wrote.

Typed fields are named one by one and need none of this. Free text (a provider's error explanation, the name of an
unknown field) may carry anything, so every long run of digits and every IBAN shape in it is replaced.
"""

import re

# In one piece or, as it is printed, in groups of four; so the words that follow it stay.
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[A-Za-z0-9]{11,30}|(?:[ -][A-Za-z0-9]{4}){2,7}(?:[ -][A-Za-z0-9]{1,3})?)"
    r"(?![A-Za-z0-9])"
)
_LONG_NUMBER = re.compile(r"[0-9](?:[ .\-]?[0-9]){9,}")

LONGEST_TEXT = 500


def mask_text(text: str) -> str:
    """Replace IBANs and runs of ten or more digits by `***`, and cut the text at 500 characters."""
    return _LONG_NUMBER.sub("***", _IBAN.sub("***", text))[:LONGEST_TEXT]


def mask_card_number(text: str) -> str:
    """Keep the first six and last four digits of a card number; text that is already masked stays as it is."""
    digits = re.sub(r"[ \-]", "", text)
    if digits.isdigit() and len(digits) >= 12:
        return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"
    return text


def mask_identity_number(text: str) -> str:
    """Keep the last two characters of a TCKN or VKN."""
    return f"{'*' * (len(text) - 2)}{text[-2:]}" if len(text) > 2 else text
