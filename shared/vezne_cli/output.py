"""How the commands print: tables and a turning sign for people, plain and stable lines for programs."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self

import click
from rich import box
from rich.bar import Bar
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

_BAR_WIDTH = 40


def on_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def show(lines: Iterable[str]) -> int:
    """Print each line as soon as it is there; how many there were."""
    count = 0
    for line in lines:
        click.echo(line)
        count += 1
    return count


def show_table(heads: Sequence[str], rows: Iterable[Sequence[str]], whole: int = 1) -> None:
    """A table as wide as the terminal. So many first columns are never broken: they are what one copies."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(heads):
        table.add_column(head, no_wrap=number < whole, overflow="fold")
    for row in rows:
        # As texts: what comes from a provider or a client is not markup.
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def show_bars(counts: Mapping[str, int]) -> None:
    """A table of numbers, each with a bar as long as its share of the largest. A small one is seen, too."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    largest = max(counts.values(), default=0)
    for name, count in counts.items():
        # A quarter of a cell is the least that can be seen.
        shown = max(count, largest / (4 * _BAR_WIDTH)) if count else 0
        table.add_row(name, str(count), Bar(max(largest, 1), 0, shown, width=_BAR_WIDTH))
    Console(highlight=False).print(table)


@contextmanager
def waiting(text: str) -> Iterator[Callable[[str], None]]:
    """Say at a terminal what takes a while, for as long as it does. Gives what says how far it is.

    Elsewhere that is a line on standard error: standard output is for what was asked.
    """
    if not on_terminal():
        yield lambda news: click.echo(news, err=True)
        return
    with Console(highlight=False, markup=False).status(Text(text)) as status:
        yield lambda news: status.update(Text(news))


class Steps:
    """Prints each step with the seconds since the start; at a terminal, a sign turns until the next one."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._status = Status("", console=Console(highlight=False)) if on_terminal() else None

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.rest()

    def __call__(self, text: str) -> None:
        """Print a step."""
        print(f"[{time.monotonic() - self._started:5.1f} s] {text}", flush=True)
        if self._status:
            self._status.update(Text(text))

    def rest(self) -> None:
        """Stop the sign: what comes now takes as long as it takes."""
        if self._status:
            self._status.stop()
            self._status = None
