"""The command `vezne`, and the one place that turns errors into a sentence and an exit code."""

import sys
from collections.abc import Sequence

import click

from . import __version__
from .commands import clients, documents, export, local, operate, reconcile, secrets

# Exit codes: 0 done, 1 not done (the sentence says why), 2 typed wrongly, 130 ended by Ctrl-C.
ENDED_BY_CTRL_C = 130
SECTIONS: dict[str, list[click.Command]] = {
    "Operate a stack": [
        operate.unknown,
        operate.explain,
        operate.resolve,
        operate.forget,
        operate.breaker,
        reconcile.reconcile,
        export.export,
    ],
    "Callers and secrets of a stack": [clients.client, secrets.secrets],
    "Run a stack on this machine": [local.run, local.serve, local.logs, local.invoke],
    "Generate": [
        documents.new_operation,
        documents.document,
        documents.documents,
        documents.template,
        documents.dashboard,
        documents.drift,
    ],
}
EPILOG = """\b
Variables:
  VEZNE_STACK          the stack of --stack
  AWS_PROFILE, ...     your AWS rights, as every AWS tool takes them

\b
Complete commands and names with the tabulator key, in bash (zsh, fish: the same with their names):
  eval "$(_VEZNE_COMPLETE=bash_source vezne)"
"""


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class Sections(click.Group):
    """Lists its commands by subject."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a list of commands for each subject."""
        width = max(len(name) for name in self.commands)
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                limit = formatter.width - width - 6
                rows = [((each.name or "").ljust(width), each.get_short_help_str(limit)) for each in commands]
                formatter.write_dl(rows)


@click.group(
    cls=Sections, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="vezne")
def vezne() -> None:
    """Vezne: orders to five payment providers, each sent at most once. Operate a stack, or run one on this machine."""


for _command in [command for commands in SECTIONS.values() for command in commands]:
    vezne.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code. Whatever is expected to fail ends with one plain sentence."""
    try:
        code = vezne.main(arguments, prog_name="vezne", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as error:
        return ENDED_BY_CTRL_C if isinstance(error.__cause__, KeyboardInterrupt) else 1
    except Exception as error:
        sentence = _told(error)
        if sentence is None:
            raise
        print(sentence, file=sys.stderr)
        return 1
    return code or 0


def _told(error: Exception) -> str | None:
    """The sentence for an error that is expected; None for one that is our own fault."""
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("vezne"):
        extra = "dashboard" if error.name in ("matplotlib", "numpy") else "local"
        return f"{error.name} is not installed: this needs pip install -e './shared[{extra}]' in the project's folder."
    from botocore.exceptions import BotoCoreError, ClientError
    from vezne.orders.store import StoreUnavailableError

    from .connection import OperatorError
    from .processes import StackError

    match error:
        case OperatorError() | StackError():
            return str(error)
        case StoreUnavailableError():
            return f"The table did not answer: {error}"
        case ClientError():
            return f"AWS refused: {error}"
        case BotoCoreError():
            return f"AWS cannot be asked: {error}"
    return None
