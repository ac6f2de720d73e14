"""The types of what is typed. Each says what is missing or wrong, why, and the right form.

`make` passes an empty text for a variable that was not set, so an empty text counts as missing.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem


class Typed(click.ParamType[Any]):
    """A text that must not be empty. `form` is the right one, as one sentence."""

    name = "text"

    def __init__(self, form: str) -> None:
        self.form = form

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        return self.form

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = str(value).strip()
        if not text:
            raise click.MissingParameter(ctx=ctx, param=param)
        return self.read(text, param, ctx)

    def read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the text means; calls `fail` if it means nothing."""
        return text


class OperationId(Typed):
    """The id of an operation."""

    def __init__(self) -> None:
        super().__init__("It is op_ with 26 letters and digits; `vezne unknown` lists those that are not final.")

    def read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from vezne.orders.record import OPERATION_ID
        from vezne.platform.masking import mask_text

        if not re.fullmatch(OPERATION_ID, text):
            self.fail(f"{mask_text(text)} is no operation id. {self.form}", param, ctx)
        return text


class FindingId(Typed):
    """The name of a finding of a reconciliation."""

    def __init__(self) -> None:
        super().__init__("It is 20 digits and letters from a to f; `vezne reconcile PROVIDER DATE --stored` shows it.")

    def read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from vezne.platform.masking import mask_text

        if not re.fullmatch(r"[0-9a-f]{20}", text):
            self.fail(f"{mask_text(text)} is no finding. {self.form}", param, ctx)
        return text


class Reason(Typed):
    """Why somebody decides, without what must not be stored."""

    def __init__(self) -> None:
        super().__init__('Say why, like "seen on the statement": the reason stays with the record.')

    def read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from vezne.platform.masking import mask_text

        return mask_text(text)


class OneOf(Typed):
    """One of the words that there are of a kind. They are asked for only when they are needed."""

    def __init__(self, kind: str, words: Callable[[], Iterable[str]]) -> None:
        super().__init__("")
        self._kind, self._words = kind, words

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        return f"It is one of: {', '.join(self._words())}"

    def read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from vezne_cli.suggestions import none_such

        if text not in (known := list(self._words())):
            self.fail(none_such(self._kind, text, known), param, ctx)
        return text

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in self._words() if word.startswith(incomplete)]


class Day(Typed):
    """A day in Türkiye that is over."""

    name = "day"

    def __init__(self) -> None:
        super().__init__("It is a day like 2026-11-26, and over in Türkiye.")

    def read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        from time import time

        from vezne.orders.record import istanbul_day
        from vezne.platform.masking import mask_text

        today = istanbul_day(time())
        latest = f"The latest day is {today - timedelta(days=1)}."
        day = _date(text)
        if day is None:
            self.fail(f"{mask_text(text)} is no day. {self.form} {latest}", param, ctx)
        if day > today:
            self.fail(f"{day} is to come. {latest}", param, ctx)
        if day == today:
            self.fail(f"{day} is today: rows of today may still come. {latest}", param, ctx)
        return day


def _date(text: str) -> date | None:
    """Only as it is shown everywhere: other forms of ISO 8601 are read wrongly by people."""
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else None
    except ValueError:
        return None


class EventFile(Typed):
    """A file that holds an event."""

    def __init__(self) -> None:
        super().__init__("It is a file like events/paynet_capture.api.json.")

    def read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        file = Path(text)
        if not file.is_file():
            self.fail(f"There is no file {text}. {self.form}", param, ctx)
        return file

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


def providers() -> list[str]:
    """Every provider."""
    from vezne_cli.catalogue import PROVIDERS

    return list(PROVIDERS)


def kept_pages() -> Iterable[str]:
    """The provider pages whose fields are kept, by their operations."""
    from vezne_cli.pages import pages

    return pages()


def scopes() -> list[str]:
    """Every scope of a token."""
    from vezne_cli.catalogue import SCOPES

    return list(SCOPES)


def functions() -> list[str]:
    """The folder of every function."""
    from vezne_cli.catalogue import FUNCTIONS

    return sorted(function.folder for function in FUNCTIONS.values())


def examples(*lines: str, variables: str = "") -> str:
    """The end of a command's help: how it is typed. `variables` stand before it."""
    # Click leaves the lines of a part that begins with this sign as they are.
    return "\n".join(
        ["\b", "Examples:" if len(lines) > 1 else "Example:", *(f"  {variables}vezne {it}" for it in lines)]
    )


stack_option = click.option(
    "--stack",
    default="",
    envvar="VEZNE_STACK",
    show_envvar=True,
    metavar="STACK",
    help="A deployed stack, reached with your AWS rights. Without it, the local stack of `vezne serve`.",
)
operation_id = click.argument("operation", metavar="OP", type=OperationId())
