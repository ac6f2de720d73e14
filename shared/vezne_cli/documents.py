"""`vezne documents`: the tables in the documents that are made from something else.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`. The text around it is written by hand.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from vezne_sandbox.faults import described
from vezne_sandbox.sandbox import Sandbox

from . import catalogue
from .instances import advice
from .processes import ROOT
from .template import source

PROVIDERS = "shared/vezne/providers"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ASSUMPTIONS = re.compile(r"^\| as of \| assumption \|\n\|[-|]+\|\n((?:\|.*\n?)+)", re.MULTILINE)
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


def parameters(root: Path) -> str:
    """Every parameter of the template: its default, what it may be, and what it means."""
    declared: dict[str, dict[str, Any]] = source(root)["Parameters"]
    rows = [
        f"| `{name}` | {_default(facts)} | {_allowed(facts)} | {_cell(facts['Description'])} |"
        for name, facts in declared.items()
    ]
    return _table("parameter | default | allowed | meaning", rows)


def assumptions(root: Path) -> str:
    """What is not verified, of all providers. Raises ValueError if a provider's README has no such table."""
    return _table("provider | as of | assumption", [row for path in _readmes(root) for row in _assumptions(path)])


def offered(root: Path) -> str:
    """What there is of each provider, by name."""
    titles = {name: title(root / PROVIDERS / name / "README.md") for name in catalogue.PROVIDERS}
    rows = [
        f"| {titles[name]} | {_names(provider.orders)} | {_names(provider.inquiries)} |"
        for name, provider in catalogue.PROVIDERS.items()
    ]
    return _table("provider | orders | inquiries", rows)


def operations(_: Path) -> str:
    """Every order, and how to read what became of it."""
    read = catalogue.READ
    rows = [_row(each.name, each.route, each.summary) for each in catalogue.ORDERS.values()]
    rows.append(_row(read.name, read.route, read.summary.partition(":")[0]))
    return _table("operation | route | what it does", rows)


def _names(functions: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in functions)


def inquiries(_: Path) -> str:
    """Every inquiry."""
    rows = [_row(each.name, each.route, each.summary) for each in catalogue.INQUIRIES.values()]
    return _table("inquiry | route | what it does", rows)


def secrets(root: Path) -> str:
    """The fields of each provider's secret."""
    rows = [
        f"| {title(root / PROVIDERS / name / 'README.md')} | {_fields(provider)} |"
        for name, provider in catalogue.PROVIDERS.items()
    ]
    return _table("provider | fields of the secret", rows)


def export_columns(_: Path) -> str:
    """What stands in each column of an export."""
    from .export import COLUMNS

    return _table("column | what stands in it", [f"| `{name}` | {text} |" for name, text in COLUMNS.items()])


def look_ups(_: Path) -> str:
    """How an unknown outcome of each order is looked up, and what that proves."""
    rows = []
    for name, order in catalogue.ORDERS.items():
        facts = order.declaration
        minutes = f"{facts.settling_time.total_seconds() / 60:g} minutes"
        proof = f"yes, {minutes} after it can last have arrived" if facts.look_up_is_complete else "no"
        again = "when you repeat it" if facts.resend_is_safe else "never"
        rows.append(f"| `{name}` | {_cell(facts.look_up_call)} | {proof} | {again} |")
    return _table('operation | looked up by | is "not found" proof? | sent again under the same reference?', rows)


def faults(_: Path) -> str:
    """Every fault of the provider sandboxes."""
    rows = [f"| `{name}` | {where} | {_cell(text)} |" for name, where, text in described(Sandbox().operations.values())]
    return _table("`then` | at | what the caller gets", rows)


def instances(_: Path) -> str:
    """What to reserve of Lambda's instances, for the functions that there are."""
    rows = [
        "| " + " | ".join(f"{figure:,}" for figure in astuple(row)) + " |"
        for row in advice(len(catalogue.ORDERS), len(catalogue.INQUIRIES))
    ]
    head = (
        "orders a second of the busiest operation | account's limit | `OrderConcurrency` | `InquiryConcurrency` "
        "| reserved in all | `ClaimedConcurrencyAlarm`"
    )
    counted = f"{len(catalogue.ORDERS)} order functions and {len(catalogue.INQUIRIES)} inquiry functions"
    return f"{_table(head, rows)}\nThe figures are for {counted}, and a test computes them.\n"


TABLES: dict[str, Callable[[Path], str]] = {
    "assumptions": assumptions,
    "faults": faults,
    "inquiries": inquiries,
    "instances": instances,
    "look_ups": look_ups,
    "export_columns": export_columns,
    "offered": offered,
    "operations": operations,
    "parameters": parameters,
    "secrets": secrets,
}
DOCUMENTS = (
    "README.md",
    "functions/README.md",
    "shared/README.md",
    "shared/PARAMETERS.md",
    "shared/vezne/README.md",
    "shared/vezne_cli/README.md",
    f"{PROVIDERS}/README.md",
    "shared/vezne_sandbox/README.md",
)


def generated(text: str, root: Path = ROOT) -> str:
    """The document with its generated parts made anew. Raises KeyError for a part that nothing makes."""
    return _PART.sub(lambda part: f"{part[1]}\n{TABLES[part[2]](root)}\n{part[3]}", text)


def _readmes(root: Path) -> list[Path]:
    return sorted((root / PROVIDERS).glob("*/README.md"))


def _assumptions(readme: Path) -> Iterator[str]:
    table = _ASSUMPTIONS.search(readme.read_text())
    if table is None:
        raise ValueError(f"{readme} has no table of assumptions")
    link = f"[{title(readme)}]({readme.parent.name}/README.md)"
    return (f"| {link} {row}" for row in table[1].splitlines())


def title(readme: Path) -> str:
    """What a document is about: its heading. Raises ValueError if it has none."""
    heading = _HEADING.search(readme.read_text())
    if heading is None:
        raise ValueError(f"{readme} has no heading")
    return heading[1]


def _row(name: str, route: str, summary: str) -> str:
    return f"| `{name}` | `{route}` | {_cell(summary)} |"


def _fields(provider: catalogue.Provider) -> str:
    said = []
    for name, field in provider.credentials.model_fields.items():
        values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        notes = [" or ".join(f"`{value}`" for value in values)] if values else []
        notes += [] if field.is_required() else ["optional"]
        said.append(f"`{name}`" + (f" ({', '.join(notes)})" if notes else ""))
    return ", ".join(said)


def _default(facts: dict[str, Any]) -> str:
    if "Default" not in facts:
        return "none: must be given"
    return f"`{facts['Default']}`" if facts["Default"] != "" else "empty"


def _allowed(facts: dict[str, Any]) -> str:
    if "AllowedValues" in facts:
        return ", ".join(f"`{value}`" for value in facts["AllowedValues"])
    least, most = facts.get("MinValue"), facts.get("MaxValue")
    said = []
    if least is not None:
        said.append(f"{least} to {most}" if most is not None else f"at least {least}")
    if "AllowedPattern" in facts:
        said.append(f"`{facts['AllowedPattern']}`")
    if "MaxLength" in facts:
        said.append(f"at most {facts['MaxLength']} characters")
    return _cell("; ".join(said))


def _cell(text: str) -> str:
    """Text for one cell of a table: in it, a bar would begin the next cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _table(heads: str, rows: list[str]) -> str:
    return "\n".join([f"| {heads} |", f"|{'---|' * len(heads.split('|'))}", *rows]) + "\n"


def write_all() -> Iterator[str]:
    """Write every document whose generated parts have changed; their names."""
    for name in DOCUMENTS:
        document = ROOT / name
        old = document.read_text()
        new = generated(old)
        if new != old:
            document.write_text(new)
            yield name
