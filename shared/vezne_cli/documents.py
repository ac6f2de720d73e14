"""`make documents`: the tables in the documents that are made from something else.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`. The text around it is written by hand.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from .processes import ROOT

PROVIDERS = "shared/vezne/providers"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ASSUMPTIONS = re.compile(r"^\| as of \| assumption \|\n\|[-|]+\|\n((?:\|.*\n?)+)", re.MULTILINE)
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


def parameters(root: Path) -> str:
    """Every parameter of the template: its default, what it may be, and what it means."""
    declared: dict[str, dict[str, Any]] = yaml_parse((root / "template.yaml").read_text())["Parameters"]
    rows = [
        f"| `{name}` | {_default(facts)} | {_allowed(facts)} | {_cell(facts['Description'])} |"
        for name, facts in declared.items()
    ]
    return _table("parameter | default | allowed | meaning", rows)


def assumptions(root: Path) -> str:
    """What is not verified, of all providers. Raises ValueError if a provider's README has no such table."""
    return _table("provider | as of | assumption", [row for path in _readmes(root) for row in _assumptions(path)])


TABLES: dict[str, Callable[[Path], str]] = {"parameters": parameters, "assumptions": assumptions}
DOCUMENTS = ("shared/PARAMETERS.md", f"{PROVIDERS}/README.md")


def generated(text: str, root: Path = ROOT) -> str:
    """The document with its generated parts made anew. Raises KeyError for a part that nothing makes."""
    return _PART.sub(lambda part: f"{part[1]}\n{TABLES[part[2]](root)}\n{part[3]}", text)


def _readmes(root: Path) -> list[Path]:
    return sorted((root / PROVIDERS).glob("*/README.md"))


def _assumptions(readme: Path) -> Iterator[str]:
    text = readme.read_text()
    heading, table = _HEADING.search(text), _ASSUMPTIONS.search(text)
    if heading is None or table is None:
        raise ValueError(f"{readme} has no heading, or no table of assumptions")
    link = f"[{heading[1]}]({readme.parent.name}/README.md)"
    return (f"| {link} {row}" for row in table[1].splitlines())


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


def main() -> None:
    """Write every document whose generated parts have changed."""
    for name in DOCUMENTS:
        document = ROOT / name
        old = document.read_text()
        new = generated(old)
        if new != old:
            document.write_text(new)
            print(f"{name} is written anew")


if __name__ == "__main__":
    main()
