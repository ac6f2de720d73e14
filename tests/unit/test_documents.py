"""The documents are true where a test can tell: links, make targets, length, and what is generated."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from vezne_cli.documents import DOCUMENTS, generated
from vezne_cli.processes import ROOT

MOST_LINES = 250
TEMPLATE_PARAMETER = """
Parameters:
  Colour:
    Type: String
    AllowedPattern: ^(red|blue)$
    MaxLength: 4
    Description: >-
      Either
      one
  Count: {Type: Number, Default: 0, MinValue: 0, Description: How many}
"""


def documents() -> Iterator[Path]:
    """Every document of ours."""
    yield ROOT / "README.md"
    for folder in (".github", "functions", "shared", "tests"):
        yield from sorted((ROOT / folder).rglob("*.md"))


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def links(text: str) -> list[str]:
    """Targets of links and pictures that lead to a file of ours."""
    targets = re.findall(r"\]\(([^)\s]+)\)", without_code(text))
    return [unquote(target) for target in targets if not re.match(r"[a-z]+:", target)]


def page(document: Path, link: str) -> Path:
    """The file that a link of a document leads to; of a folder, its README."""
    name = link.partition("#")[0]
    target = (document.parent / name).resolve() if name else document
    return target / "README.md" if target.is_dir() else target


def anchors(document: Path) -> set[str]:
    """The names under which GitHub makes a document's headings reachable."""
    headings = re.findall(r"^#+ (.+)$", without_code(document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def named_targets(text: str) -> Iterator[str]:
    """What is typed after `make`: at the start of a line of code, or of code within a line."""
    yield from re.findall(r"(?:^|`|&& )(?:\w+=\S+ )*make ([a-z][a-z-]*)", text, re.MULTILINE)


DOCUMENTS_HERE = list(documents())
NAMES = [str(document.relative_to(ROOT)) for document in DOCUMENTS_HERE]


def test_there_are_documents() -> None:
    assert {"README.md", "shared/README.md", ".github/SECURITY.md"} <= set(NAMES)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("document", DOCUMENTS_HERE, ids=NAMES)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in links(document.read_text()):
        target, anchor = page(document, link), link.partition("#")[2]
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS_HERE, ids=NAMES)
def test_every_make_target_exists(document: Path) -> None:
    assert set(named_targets(document.read_text())) <= make_targets()


@pytest.mark.parametrize("document", DOCUMENTS_HERE, ids=NAMES)
def test_every_file_of_ours_that_is_named_exists(document: Path) -> None:
    """Paths from the top, in code within a line. What stands for many, or is to be made, has a `<` or a `*`."""
    if document.name == "CHANGELOG.md":
        pytest.skip("it also names what was")
    named = re.findall(r"`((?:functions|shared|tests|events|\.ci)/[\w./-]+)`", without_code(document.read_text()))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_test_that_the_table_of_proof_names_exists() -> None:
    text = (ROOT / "tests" / "README.md").read_text()
    files = {path.name for path in (ROOT / "tests").rglob("*.py")}
    assert set(re.findall(r"`(?:\w+/)*(test_\w+\.py)`", text)) <= files


def test_the_readme_leads_to_every_document() -> None:
    """By its own links, or by those of a document that it leads to."""
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        reached.add(document)
        leads_to = {page(document, link) for link in links(document.read_text())}
        waiting += [each for each in leads_to - reached if each.suffix == ".md"]
    assert set(DOCUMENTS_HERE) <= reached


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_tables_are_what_the_generator_makes(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "<!-- generated: " in text
    assert generated(text) == text, "run make documents"


def test_a_generated_table_tells_what_a_parameter_may_be(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE_PARAMETER)
    text = generated("before\n<!-- generated: parameters -->\nold\n<!-- end -->\nafter\n", tmp_path)
    assert "| `Colour` | none: must be given | `^(red\\|blue)$`; at most 4 characters | Either one |\n" in text
    assert "| `Count` | `0` | at least 0 | How many |\n" in text
    assert text.startswith("before\n")
    assert text.endswith("<!-- end -->\nafter\n")
