"""What is said of a word that is none of those there are."""

from collections.abc import Iterable
from difflib import get_close_matches

from vezne.platform.masking import mask_text


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The end of a sentence that refuses a word: the one that was probably meant, if there is one like it."""
    close = get_close_matches(given, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else "."


def none_such(kind: str, given: str, known: Iterable[str]) -> str:
    """A sentence that names the word, the one that was probably meant, and all there are."""
    names = list(known)
    return f"There is no {kind} {mask_text(given)}{did_you_mean(given, names)} There are: {', '.join(names)}"
