"""Tables of what was tried, and of the results."""

from collections import Counter
from collections.abc import Iterable, Sequence


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as aligned columns; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def tally(outcomes: Iterable[tuple[int, str]]) -> str:
    """`1 succeeded` if all trials had the same result; otherwise each result with its count."""
    counts = Counter(f"{bookings} {final}" for bookings, final in outcomes)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{count}x {outcome}" for outcome, count in sorted(counts.items()))
