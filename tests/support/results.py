"""Rewrites RESULTS.md: a printed table replaces the one with the same beginning, and its command gets the date."""

import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path


def rewritten(text: str, command: str, tables: Iterable[Sequence[str]], day: str) -> str:
    """The document with these tables in it. Raises ValueError for a table that has no place in it.

    A table ends at a blank line or at the end of its code block. Its first three words identify it, without numbers.
    """
    lines = text.split("\n")
    for table in tables:
        start = next((at for at, line in enumerate(lines) if _beginning(line) == _beginning(table[0])), None)
        if start is None:
            raise ValueError(f"there is no table that begins with: {_beginning(table[0])}")
        end = next((at for at in range(start, len(lines)) if lines[at].strip() in ("", "```")), len(lines))
        lines[start:end] = table
    return re.sub(rf"(`{re.escape(command)}`(?:,| \|.*\|)) \d{{4}}-\d\d-\d\d", rf"\1 {day}", "\n".join(lines))


def write(document: Path, command: str, tables: Iterable[Sequence[str]]) -> None:
    """Put what the command has just printed into the document."""
    document.write_text(rewritten(document.read_text(), command, tables, time.strftime("%Y-%m-%d")))


def _beginning(line: str) -> str:
    return re.sub(r"\d+", "0", " ".join(line.split()[:3]))
