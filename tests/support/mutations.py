"""Every small change of a provider's genuine answer, to hold what a reading makes of it.

A provider, or something on the way, may answer in any of these ways. What the evidence rule promises is that no such
change turns an unknown outcome into a certain one, nor one certain outcome into another.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# Where a value stands in an answer: names of members, and places in lists.
Path = tuple[str | int, ...]
MISSING = object()


@dataclass(frozen=True)
class Mutation:
    """An answer with one change. `path`: where; `what`: how; `value`: what stands there now, MISSING if nothing."""

    path: Path
    what: str
    value: Any
    answer: Any

    @property
    def field(self) -> str:
        """The name of the member that was changed, or in which a list was changed."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))} {self.what}"


def mutations(answer: Any, extra: Mapping[str, Any] | None = None) -> Iterator[Mutation]:
    """Every change of every value of an answer, at any depth, and each of the `extra` members added to each object."""
    for path, value in _places(answer):
        if path:
            yield Mutation(path, "missing", MISSING, _without(answer, path))
        for what, other in _other_forms(value) if path else ():
            yield Mutation(path, what, other, _with(answer, path, other))
        if isinstance(value, dict):
            for name, sign in (extra or {}).items():
                if name not in value:
                    yield Mutation((*path, name), f"added: {sign!r}", sign, _with(answer, (*path, name), sign))


def _places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from _places(part, (*path, name))


def _other_forms(value: Any) -> Iterator[tuple[str, Any]]:
    yield "null", None
    yield "empty text", ""
    yield "blank", " "
    yield "empty list", []
    yield "empty object", {}
    yield "in a list", [value]
    yield "in an object", {"value": value}
    if isinstance(value, bool):
        yield "negated", not value
        yield "as text", str(value).lower()
        yield "as a number", int(value)
    elif isinstance(value, (int, Decimal)):
        yield from _other_numbers(Decimal(value))
    elif isinstance(value, str) and value:
        yield from _other_texts(value)
    elif isinstance(value, list) and value:
        yield "twice", [*value, *copy.deepcopy(value)]
        yield "with null", [*value, None]
        yield "with a text", [*value, "x"]


def _other_numbers(value: Decimal) -> Iterator[tuple[str, Any]]:
    yield "a little more", value + Decimal("0.01")
    yield "one more", value + 1
    yield "times 100", value * 100
    yield "negative", -value - (not value)
    yield "zero", 0 if value else 1
    yield "as text", f"{value:f}"
    yield "as text with zeros", f"{value:f}{'000' if '.' in f'{value:f}' else '.000'}"
    yield "with a comma", f"{value:f}".replace(".", ",") if "." in f"{value:f}" else f"{value:f},00"
    yield "padded", f" {value:f}"
    yield "as a fraction", value + Decimal("0.0")
    yield "true", True


def _other_texts(value: str) -> Iterator[tuple[str, Any]]:
    yield "in capitals", value.upper()
    yield "in small letters", value.lower()
    yield "padded in front", f" {value}"
    yield "padded behind", f"{value} "
    yield "longer", f"{value}x"
    yield "cut", value[:-1]
    yield "other", "other"
    yield "true", True
    yield "a number", 7
    if value.isdigit():
        yield "as a number", int(value)
        yield "with a zero in front", f"0{value}"


def _with(answer: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(answer)
    _holder(changed, path)[path[-1]] = value
    return changed


def _without(answer: Any, path: Path) -> Any:
    changed = copy.deepcopy(answer)
    del _holder(changed, path)[path[-1]]
    return changed


def _holder(answer: Any, path: Path) -> Any:
    for part in path[:-1]:
        answer = answer[part]
    return answer
