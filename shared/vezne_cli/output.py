"""How the commands print: tables and a turning sign for people, plain and stable lines for programs."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import click
from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text


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


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Say at a terminal what takes a while, for as long as it does."""
    if not on_terminal():
        yield
        return
    with Console(highlight=False, markup=False).status(Text(text)):
        yield


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
