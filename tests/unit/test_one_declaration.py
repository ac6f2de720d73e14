"""No list of operations or providers is kept by hand: each repeats a declaration, and the next operation is forgotten.

A declaration is functions/*/app.py, or a provider's folder in shared/vezne/providers or shared/vezne_sandbox. Whatever
else needs a list asks `vezne_cli.catalogue`.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from vezne.api.label import LabelFields
from vezne_cli.catalogue import FUNCTIONS, ORDERS, PROVIDERS, OrderFunction
from vezne_cli.processes import ROOT

OPERATION_NAMES = {
    name: each.name
    for each in FUNCTIONS.values()
    if "." in each.name
    for name in (each.name, each.folder, each.logical_name)
}
PROVIDER_NAMES = {
    name: each.name
    for each in PROVIDERS.values()
    for name in (each.name, each.name.capitalize(), each.secret, each.secret_output, *each.urls, *each.urls.values())
}
# What may name several all the same: file -> why.
ALLOWED = {
    "tests/integration/test_day_lists.py": "the lists of two providers, each with odd rows of its own",
    "tests/integration/test_statements_of_sandboxes.py": "the lists of the other three, each with odd rows of its own",
    "tests/unit/sandbox/test_sandbox_lists.py": "the lists of the sandboxes, whose names no declaration has",
    "tests/integration/test_sweep.py": "what lets an order be sent a second time is said twice on purpose",
    "tests/unit/test_listed_operations.py": "why no list shows some orders, which no declaration says",
    "tests/support/providers.py": "the secrets with which the literals of the contract tests were signed",
}
LITERALS = (ast.List, ast.Tuple, ast.Set, ast.Dict)


def is_declaration(path: Path) -> bool:
    """A provider's own files say which operations it has."""
    folder, provider = path.parent.relative_to(ROOT).parent.as_posix(), path.parent.name
    return folder in ("shared/vezne/providers", "shared/vezne_sandbox") and provider in PROVIDERS


def searched() -> list[Path]:
    """All but the declarations, and the contract tests, of which each is of one provider."""
    files = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    contract = ROOT / "tests" / "contract"
    return sorted(path for path in files if path.parent != contract and not is_declaration(path))


def names_in(tree: ast.AST, known: dict[str, str]) -> set[str]:
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {known[text] for text in texts if text in known}


def are_cases(literal: ast.AST, known: dict[str, str]) -> bool:
    """Whether its rows are cases of something else: in a list of operations, each is named once."""
    rows = literal.elts if isinstance(literal, (ast.List, ast.Tuple)) else []
    counted = Counter(name for row in rows for name in names_in(row, known))
    return all(isinstance(row, LITERALS) for row in rows) and any(count > 1 for count in counted.values())


def lists(tree: ast.AST) -> Iterator[tuple[int, set[str]]]:
    """Line and names of each outermost literal that names two operations, or three providers."""
    if isinstance(tree, LITERALS):
        for known, fewest in ((OPERATION_NAMES, 2), (PROVIDER_NAMES, 3)):
            names = names_in(tree, known)
            if len(names) >= fewest and not are_cases(tree, known):
                yield tree.lineno, names
                return
    for child in ast.iter_child_nodes(tree):
        yield from lists(child)


def test_no_list_repeats_what_is_declared() -> None:
    found = [
        f"{name}:{line} names {', '.join(sorted(names))}"
        for path in searched()
        if (name := path.relative_to(ROOT).as_posix()) not in ALLOWED
        for line, names in lists(ast.parse(path.read_text()))
    ]
    assert not found, "\n".join(["ask vezne_cli.catalogue instead of keeping a list:", *found])


def test_each_exception_is_still_needed() -> None:
    for name in ALLOWED:
        assert list(lists(ast.parse((ROOT / name).read_text()))), f"{name} keeps no list"


A, B, C = [*FUNCTIONS.values()][1:4]
P, Q, R = [*PROVIDERS.values()][:3]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"({A.name!r}, {B.name!r})", {A.name, B.name}),
        (f"{{{A.logical_name!r}: 1, 'more': {{{B.folder!r}}}}}", {A.name, B.name}),
        (f"[({A.name!r}, 1), ({B.name!r}, 2)]", {A.name, B.name}),
        (f"[({A.name!r}, 1), ({B.name!r}, 2), ({A.name!r}, 3)]", None),
        (f"[({A.name!r}, [{B.name!r}, {C.name!r}]), ({A.name!r}, 3)]", {A.name, B.name, C.name}),
        (f"[{A.name!r}, {A.folder!r}]", None),
        (f"[{P.name!r}, {Q.secret!r}, {next(iter(R.urls))!r}]", {P.name, Q.name, R.name}),
        (f"[{P.name!r}, {Q.name!r}]", None),
    ],
)
def test_a_list_is_seen_in_whatever_form(text: str, told: set[str] | None) -> None:
    assert [names for _, names in lists(ast.parse(text))] == ([told] if told else [])


@pytest.mark.parametrize("order", ORDERS.values(), ids=lambda order: order.name)
def test_no_request_has_a_field_of_the_callers_own_name(order: OrderFunction) -> None:
    """`reference` and `metadata` of a body are the caller's own, and never reach a request."""
    assert not LabelFields.model_fields.keys() & order.declaration.request_model.model_fields.keys()
