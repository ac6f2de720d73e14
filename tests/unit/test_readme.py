"""README's table of answers tells of every problem that the API can answer."""

import json
import re

import pytest
from vezne_cli.document.refusals import PROBLEMS
from vezne_cli.processes import ROOT

KNOWN = json.loads(PROBLEMS.read_text())
SECTION = (ROOT / "README.md").read_text().partition("\n## What an answer means\n")[2].partition("\n## ")[0]
FIRST_CELLS = re.findall(r"^\| (.*?) \|", SECTION, re.MULTILINE)


@pytest.mark.parametrize("slug", KNOWN)
def test_a_problem_has_a_row_under_its_status(slug: str) -> None:
    (answers,) = (cell for cell in FIRST_CELLS if f"`{slug}`" in cell)
    assert str(KNOWN[slug]["status"]) in answers
