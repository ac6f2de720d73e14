"""Keeps card numbers, IBANs and identity numbers out of texts that providers and callers wrote.

Typed fields do not need this: each says by its type whether it is masked. Free text (a provider's error explanation,
the name of an unknown field) may contain anything. So every long run of digits in it is replaced, and everything in the
form of an IBAN.
"""

import re
import unicodedata

# What may be between two digits of one number: blanks of any kind, hyphens, points, slashes, line ends.
_GAP = r"[\W_]"
# In one piece, or in groups of four as it is printed. So the words that follow an IBAN are not masked.
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}"
    rf"(?:[A-Za-z0-9]{{11,30}}|(?:{_GAP}{{1,2}}[A-Za-z0-9]{{4}}){{2,7}}(?:{_GAP}{{1,2}}[A-Za-z0-9]{{1,3}})?)"
    r"(?![A-Za-z0-9])"
)
# Ten digits of any script.
_LONG_NUMBER = re.compile(rf"\d(?:{_GAP}{{0,3}}\d){{9,}}")
_MASKED_CARD = re.compile(r"[0-9]{6}\*+[0-9]{4}")

LONGEST_TEXT = 500


def mask_text(text: str) -> str:
    """Replace IBANs and runs of ten or more digits by `***`, and cut the text at 500 characters.

    Up to three characters that are no letters and no digits do not end a run. So an amount or a date may be replaced,
    too. Do not call this for a text that is known to be an amount or a date.
    """
    # Full-width digits and similar characters become plain digits.
    plain = unicodedata.normalize("NFKC", text)
    masked = _LONG_NUMBER.sub("***", _IBAN.sub("***", plain))
    return (text if masked == plain else masked)[:LONGEST_TEXT]


def mask_card_number(text: str) -> str:
    """Keep the first six and last four digits of a card number; a text that is already masked does not change."""
    if _MASKED_CARD.fullmatch(text):
        return text
    digits = re.sub(_GAP, "", unicodedata.normalize("NFKC", text))
    if digits.isdecimal() and len(digits) >= 12:
        return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"
    return mask_text(text)


def mask_identity_number(text: str) -> str:
    """Keep the last two characters of a TCKN or VKN."""
    return f"{'*' * (len(text) - 2)}{text[-2:]}" if len(text) > 2 else text


def mask_end(text: str) -> str:
    """Keep the last four characters of the number of a person, a card or an account."""
    return f"{'*' * (len(text) - 4)}{text[-4:]}" if len(text) > 8 else "*" * len(text)


def mask_name(text: str) -> str:
    """Keep the first letter of each word of a person's name: `Ayşe Yılmaz` -> `A** Y**`."""
    return " ".join(word if word == "***" else f"{word[0]}**" for word in mask_text(text).split())


def mask_email(text: str) -> str:
    """Keep the first letter and the host of an e-mail address: `ayse@example.com` -> `a***@example.com`."""
    name, at, host = mask_text(text).rpartition("@")
    if not name:
        return "***" if text else ""
    return f"{name[0].strip('*')}***{at}{host}"


def mask_phone(text: str) -> str:
    """Keep the last two digits of a telephone number: `+90 532 123 45 67` -> `***67`."""
    digits = re.sub(r"\D", "", text)
    return f"***{digits[-2:] if len(digits) > 2 or text.startswith('***') else ''}" if text else ""
