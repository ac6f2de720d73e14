"""A provider's real answer with one field changed, for every field. The evidence rule must handle each of them.

No change may turn an unknown outcome into a final one, or one final outcome into another.
"""

import copy
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.support.seed import SEED

MISSING = object()
Path = tuple[str | int, ...]
# Values for every field: empty ones, other types, and all providers' words and codes of success and failure.
_ANYWHERE: tuple[Any, ...] = (
    *(MISSING, None, "", "  ", [], {}, True, False, 0, 1, -1, 2, 8, 20, 40, 100, 301, Decimal("0.5")),
    *("true", "false", "yes", "no", "0", "1", "20", "100", "301", "other", "İPTAL", "Beklemede", "Tahsil Edildi"),
    *("Tamamlandı", "İşlem başarılı", "Success", "Failed", "USD", "TRY", "TL"),
)


@dataclass(frozen=True)
class Mutation:
    """One changed field, and the whole body with the change."""

    path: Path
    value: Any
    body: Any

    def __str__(self) -> str:
        value = "missing" if self.value is MISSING else repr(self.value)
        return f"{'.'.join(map(str, self.path))}: {value}"


def mutations(genuine: Any, extra: Mapping[Path, Sequence[Any]] | None = None) -> list[Mutation]:
    """Every change of one field of `genuine`. `extra` adds values for fields, also for missing ones."""
    changes = [(path, value) for path, now in _fields(genuine) for value in _others(now)]
    changes += [(path, value) for path, values in (extra or {}).items() for value in values]
    return [Mutation(path, value, _changed(genuine, path, value)) for path, value in changes]


def pairs(genuine: Any, extra: Mapping[Path, Sequence[Any]] | None = None, *, count: int) -> Iterator[list[Mutation]]:
    """Some pairs of changes, of fields that do not contain each other. The second one's body has both."""
    singles = mutations(genuine, extra)
    chance = random.Random(SEED)  # noqa: S311
    while count:
        first, second = chance.choice(singles), chance.choice(singles)
        # A list that the first change cuts may lack the place of the second.
        cut = first.value is MISSING and isinstance(first.path[-1], int)
        if _apart(first.path, second.path) and not (cut and first.path[:-1] == second.path[: len(first.path) - 1]):
            yield [first, Mutation(second.path, second.value, _changed(first.body, second.path, second.value))]
            count -= 1


def wrongly_believed(verdicts: Iterable[tuple[Mutation, str]], allowed: Collection[str]) -> list[str]:
    """The changes whose verdict is not allowed, in words."""
    return [f"{mutation} -> {verdict}" for mutation, verdict in verdicts if verdict not in allowed]


def _fields(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field at any depth, and every object and list in it."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*path, name), member
        yield from _fields(member, (*path, name))


def _others(now: Any) -> list[Any]:
    """Other values for a field."""
    values = [*_ANYWHERE, [now], {"value": now}]
    if isinstance(now, str):
        values += [now.upper(), now.lower(), now.swapcase(), f" {now}", f"{now}\n", f"{now}x", now[1:], now[:-1]]
        values += [now.replace("-", ""), f"0{now}", f"{now}.0"]
        values += [int(now)] if now.isascii() and now.isdigit() else []
    if isinstance(now, int | Decimal) and not isinstance(now, bool):
        values += [-now, now + 1, now + Decimal("0.01"), now * 100, now / 100, str(now), f" {now}", f"-{now}"]
    if isinstance(now, list) and now:
        values += [[*now, *now], [*now, {}], [*now, None], [{}], [None], "".join(map(str, now))]
    return [value for value in values if not _same(value, now)]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _apart(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] != other[:shorter]


def _changed(genuine: Any, path: Path, value: Any) -> Any:
    body = copy.deepcopy(genuine)
    place = body
    for name in path[:-1]:
        place = place[name]
    if value is not MISSING:
        place[path[-1]] = copy.deepcopy(value)
    elif isinstance(place, dict):
        place.pop(path[-1], None)
    else:
        del place[int(path[-1]) :]
    return body
