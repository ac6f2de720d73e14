"""What `make faults`, `make bench` and `make cost` write into RESULTS.md, and that it has a place for it."""

import pytest
from vezne_cli.processes import ROOT

from tests.support.results import rewritten

DOCUMENT = """# Results

| `make faults` | all | 2026-01-01 |
`make faults`, 2026-01-01. And `make bench`, 2026-01-02.

```
Killed at each step: 5 orders
old
```

```
Chaos: 40 runs
old

cold start, ms  old
old
```
"""
PRINTED = {
    "tests/faults/RESULTS.md": [
        "Chaos: 5000 runs: 1 succeeded",
        "Unknown outcomes: 12, of which 7 had happened",
        "Side by side with Powertools @idempotent",
        "Killed at each step, then a retry",
        "An order's answer is faulty",
        "The order's answer is lost",
    ],
    "tests/performance/RESULTS.md": [
        "cold start, ms (10%-90%)",
        "warm order, processor ms",
        "through Lambda's runtime, two instances",
        "call over a new TLS connection",
        "a cold start would take more, ms",
        "records in the table",
        "| line | how it comes about | $ |",
    ],
}


def test_a_table_replaces_the_one_of_the_same_beginning() -> None:
    made = rewritten(
        DOCUMENT, "make faults", [["Chaos: 7 runs", "new"], ["Killed at each step: 6 orders", "more"]], "2026-05-05"
    )
    assert "```\nKilled at each step: 6 orders\nmore\n```\n" in made
    assert "```\nChaos: 7 runs\nnew\n\ncold start, ms  old\nold\n```\n" in made


def test_the_date_is_that_of_the_command_alone() -> None:
    made = rewritten(DOCUMENT, "make faults", [], "2026-05-05")
    assert "| `make faults` | all | 2026-05-05 |\n`make faults`, 2026-05-05. And `make bench`, 2026-01-02." in made


def test_a_table_without_a_place_is_not_lost() -> None:
    with pytest.raises(ValueError, match="there is no table that begins with: Something else entirely"):
        rewritten(DOCUMENT, "make faults", [["Something else entirely new"]], "2026-05-05")


@pytest.mark.parametrize(
    ("document", "first_line"), [(name, line) for name, lines in PRINTED.items() for line in lines]
)
def test_every_table_has_its_place(document: str, first_line: str) -> None:
    assert first_line in rewritten((ROOT / document).read_text(), "make", [[first_line]], "2026-05-05")
