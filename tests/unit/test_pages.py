"""The field tables of the providers' pages: the code is held to them, and a newer page is compared with them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner
from pydantic import BaseModel
from vezne_cli import pages
from vezne_cli.app import vezne
from vezne_cli.catalogue import ORDERS
from vezne_cli.document.document import build
from vezne_cli.document.provider_fields import REQUESTS
from vezne_cli.pages import ANSWER, REQUEST, Field, Page, changes, read_fields
from vezne_sandbox.server import running_sandbox

from tests.support.operations import EXAMPLES
from tests.unit.sandbox.orders import Merchant

PAGES = pages.pages()
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.operation)

# The five forms in which the providers' sites copy their tables.
SAVED = {
    "a column line": """
Request Body
Alan | Tip | Zorunlu | Açıklama |
---|---|---|---|
amount | number | Evet | Tahsilat tutarı |
note | string | Hayır | Açıklama |
Alan | Tip | Açıklama |
amount | number | İşlem tutarı |
""",
    "a line for each cell": """
Parametre İsmi
Tip
Zorunlu
Açıklama
amount
number
Evet
Tutar
note
string
Hayır
Açıklama
Parametre İsmi
Tip
Açıklama
amount
number
Tutar
""",
    "blanks": """
Parametre Tip Zorunlu Açıklama
amount number Evet Tutar
note string Hayır Açıklama
Parametre Tip Açıklama
amount number Tutar
""",
    "what is required at the end": """
Alan Adı Format Açıklama Zorunlu/Opsiyonel

amount

number Tutar. Zorunlu

note

string Açıklama Opsiyonel


Alan Adı Format Açıklama

amount

number Tutar
""",
    "Z and O": """
Parametre adı
Parametre Tipi
Z/O
Açıklama

amount

number

Z

Tutar

note

string

O

Açıklama

Parametre adı
Tipi
Açıklama

amount

number

Tutar
""",
}
FIELDS = (
    Field(REQUEST, "amount", "number", "yes"),
    Field(REQUEST, "note", "string", "no"),
    Field(ANSWER, "amount", "number"),
)


@pytest.fixture(scope="module")
def merchant() -> Iterator[Merchant]:
    with running_sandbox() as sandbox:
        sender = Merchant(sandbox.url)
        yield sender
        sender.close()


def names(page: Page, place: str) -> set[str]:
    return {field.name for field in page.fields if field.place == place}


def parts(page: Page) -> set[str]:
    """The names in the answer: of `PaymentPlan.termDate` both."""
    return {part for name in names(page, ANSWER) for part in name.split(".")}


def models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models(part)]


def wire_fields(model: type[BaseModel]) -> dict[str, str]:
    """Of each field that a request becomes on the provider's wire: our name."""
    wires = REQUESTS[model.__name__]
    own = {wire.field.removesuffix("[]"): name for name, wire in wires.items() if wire.field}
    nested = [inner for name in wires for inner in models(model.model_fields[name].annotation)]
    return own | {name: ours for inner in nested for name, ours in wire_fields(inner).items()}


def shown(model: str) -> set[str]:
    """The provider's fields in a result, by the document."""
    schemas, found, waiting = build()["components"]["schemas"], set[str](), [model]
    while waiting:
        properties = schemas[waiting.pop()]["properties"]
        found |= {field["x-provider-field"] for field in properties.values() if "x-provider-field" in field}
        waiting += re.findall(r"schemas/([A-Za-z]+)'", str(properties))
    return {part for name in found for part in name.split(".")}


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for part in value.values() for name in keys(part)}
    return {name for part in value for name in keys(part)} if isinstance(value, list) else set()


@each_page
def test_callers_give_every_field_of_the_page_or_it_is_said_why_not(page: Page) -> None:
    asked = names(page, REQUEST)
    assert page.not_offered.keys() <= asked
    assert wire_fields(ORDERS[page.operation].declaration.request_model).keys() == asked - page.not_offered.keys()


@each_page
def test_what_the_page_requires_is_required(page: Page) -> None:
    (example,) = [each for each in EXAMPLES if each.operation == page.operation]
    model = ORDERS[page.operation].declaration.request_model
    ours = wire_fields(model)
    # A field of the path is required without a word.
    needed = {field.name for field in page.fields if field.place == REQUEST and field.required in ("yes", "")}
    assert page.filled_in.keys() <= needed
    assert example.required == {ours[name] for name in needed - page.not_offered.keys() - page.filled_in.keys()}
    assert set(model.at_least_one_of) == {ours[field.name] for field in page.fields if field.required == "one of"}


@each_page
def test_results_and_the_sandbox_have_no_field_that_the_page_has_not(merchant: Merchant, page: Page) -> None:
    (example,) = [each for each in EXAMPLES if each.operation == page.operation]
    told = keys(example.wire.send(merchant).json())
    result = shown(ORDERS[page.operation].declaration.result_model.__name__)
    assert len(told & parts(page)) > len(parts(page)) / 2
    assert (told | result) - parts(page) == page.elsewhere.keys()


@pytest.mark.parametrize("text", SAVED.values(), ids=SAVED)
def test_a_saved_page_is_read_in_each_sites_form(text: str) -> None:
    assert read_fields(text) == FIELDS


def test_what_a_newer_page_adds_removes_renames_and_says_otherwise() -> None:
    amount, note, answered = FIELDS
    now = (
        Field(REQUEST, "amount", "string", "yes"),
        Field(REQUEST, "notes", "string", "no"),
        Field(ANSWER, "id", "int"),
    )
    assert [(each.kind, each.was, each.now) for each in changes(FIELDS, now)] == [
        ("renamed", note, now[1]),
        ("removed", answered, None),
        ("added", None, now[2]),
        ("changed", amount, now[0]),
    ]


def saved(tmp_path: Path, *, without: str = "") -> str:
    page = PAGES["paynet.capture"]
    rows = {place: [field for field in page.fields if field.place == place and field.name != without]
            for place in (REQUEST, ANSWER)}  # fmt: skip
    said = {"one of": "Evet*", "no": "Hayır"}
    asked = "\n".join(f"{it.name} | {it.type} | {said[it.required]} |" for it in rows[REQUEST])
    told = "\n".join(f"{it.name} | {it.type} |" for it in rows[ANSWER])
    file = tmp_path / "capture.txt"
    file.write_text(f"Alan | Tip | Zorunlu | Açıklama\n{asked}\nAlan | Tip | Açıklama\n{told}\n")
    return str(file)


def test_the_command_finds_the_page_and_what_is_new(tmp_path: Path) -> None:
    same = CliRunner().invoke(vezne, ["drift", saved(tmp_path)], standalone_mode=False)
    assert (same.return_value, same.exception) == (0, None)
    assert "paynet.capture" in same.output
    gone = CliRunner().invoke(vezne, ["drift", saved(tmp_path, without="order_id")], standalone_mode=False)
    assert gone.return_value == 1
    assert "removed" in gone.output
    assert "order_id: string" in gone.output


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Bu sayfada alan yok", "no table of fields"),
        ("Alan | Tip | Açıklama\nnothing | string |\n".encode(), "none of the pages"),
        (b"\xff\xfe\x00", "cannot be read as text"),
        (None, "cannot be read as text"),
    ],
)
def test_a_text_that_is_no_known_page_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "page.txt"
    if content is not None:
        file.write_bytes(content)
    told = CliRunner().invoke(vezne, ["drift", str(file)])
    assert told.exit_code != 0
    assert reason in told.output
