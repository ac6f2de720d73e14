"""What text and numbers a request may carry: the same for every field of every order and every inquiry."""

import re
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError
from vezne.providers.haso.models import TransactionNamed
from vezne.providers.kolaybi.models import MOST_PROJECTS, CollectionRequest
from vezne.providers.models import LARGEST_NUMBER, LONGEST_TEXT, ONE_LINE, RequestModel, one_line
from vezne_cli.catalogue import READ, ROUTES
from vezne_cli.golden import golden

HIDDEN = {
    "CR": "\r",
    "LF": "\n",
    "tab": "\t",
    "NUL": "\0",
    "escape": "\x1b",
    "delete": "\x7f",
    "next line": "\x85",
    "no-break space": "\u00a0",
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "Hangul filler": "\u3164",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "right-to-left mark": "\u200f",
    "line separator": "\u2028",
    **{f"direction {code:X}": chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    "blank Braille": "\u2800",
    "ideographic space": "\u3000",
    "variant": "\ufe0f",
    "byte order mark": "\ufeff",
    "private use": "\ue000",
    "unassigned": "\u0378",
    "tag": "\U000e0041",
    "variant of a plane behind": "\U000e0100",
}
TURKISH = "Çağrı Öztürk'ün İğdır şubesi: %50, “ödeme” №7 / ÂÎÛ âîû ₺"
REQUESTS: dict[str, type[RequestModel]] = {name: route.request for name, route in ROUTES.items() if route.request}


def places(model: type[RequestModel], fields: Any) -> dict[str, str]:
    try:
        model.model_validate(fields)
    except ValidationError as error:
        return {".".join(map(str, item["loc"])): item["msg"] for item in error.errors(include_input=False)}
    return {}


def forms(content: dict[str, Any]) -> list[dict[str, Any]]:
    """What the description allows a field to be, null aside."""
    return [form for form in content.get("anyOf", [content]) if form.get("type") != "null"]


def fields_of(kind: str) -> list[Any]:
    """Every field of this JSON type, those of objects inside too, of every request; no amounts, no fixed words."""
    found = []
    for name, model in REQUESTS.items():
        schema = model.model_json_schema()
        nested = {f"{outer}.": schema["$defs"][content["$ref"].rpartition("/")[2]]["properties"]
                  for outer, content in schema["properties"].items() if "$ref" in content}  # fmt: skip
        for prefix, properties in {"": schema["properties"], **nested}.items():
            for field, content in properties.items():
                is_amount = len([form for form in forms(content) if form.get("type") in ("string", "number")]) == 2
                if any(form.get("type") == kind and "enum" not in form for form in forms(content)) and not is_amount:
                    found.append(pytest.param(name, prefix + field, id=f"{name}-{prefix}{field}"))
    return found


def refusal(name: str, field: str, value: Any) -> str | None:
    outer, _, inner = field.rpartition(".")
    fields = {**golden(name).fields, **({outer: {inner: value}} if outer else {field: value})}
    return places(REQUESTS[name], fields).get(field)


every_text = pytest.mark.parametrize(("name", "field"), fields_of("string"))
every_number = pytest.mark.parametrize(("name", "field"), fields_of("integer"))


def test_all_requests_are_looked_at() -> None:
    assert REQUESTS.keys() == ROUTES.keys() - {READ.name}
    assert len(fields_of("string")) > 50
    assert ("kolaybi.collect", "associate_id") in [one.values for one in fields_of("integer")]


@pytest.mark.parametrize("name", REQUESTS)
def test_the_golden_request_is_valid(name: str) -> None:
    assert places(REQUESTS[name], golden(name).fields) == {}


@every_text
def test_nothing_hidden_is_taken(name: str, field: str) -> None:
    taken = [what for what, character in HIDDEN.items() if refusal(name, field, f"a{character}b") is None]
    assert taken == []


@every_text
@pytest.mark.parametrize("value", [" 1", "1 ", " ", "1\n", "\u30001"])
def test_no_text_begins_or_ends_with_a_blank(name: str, field: str, value: str) -> None:
    assert refusal(name, field, value) is not None


@every_text
def test_every_text_has_a_length(name: str, field: str) -> None:
    assert refusal(name, field, "1" * (LONGEST_TEXT + 1)) is not None
    assert refusal(name, field, "1" * 60_000) is not None


@every_number
def test_every_number_has_a_length(name: str, field: str) -> None:
    # Some have a bound of their own, such as a page's size.
    described = forms(REQUESTS[name].model_json_schema()["properties"][field])
    (largest,) = {form.get("maximum", LARGEST_NUMBER) for form in described}
    assert largest <= LARGEST_NUMBER
    for number in (1, largest):
        assert refusal(name, field, number) is None
    for number in (largest + 1, LARGEST_NUMBER + 1, 10**4299, 0, -1):
        assert refusal(name, field, number) is not None


def test_a_list_has_a_length() -> None:
    order = golden("kolaybi.collect").fields
    assert places(CollectionRequest, {**order, "project_ids": [LARGEST_NUMBER] * MOST_PROJECTS}) == {}
    assert list(places(CollectionRequest, {**order, "project_ids": [1] * (MOST_PROJECTS + 1)})) == ["project_ids"]
    assert list(places(CollectionRequest, {**order, "project_ids": [1, 10**18]})) == ["project_ids.1"]


def test_turkish_letters_and_signs_stay_as_they_are() -> None:
    order = {**golden("kolaybi.collect").fields, "description": TURKISH}
    assert CollectionRequest.model_validate(order).description == TURKISH
    # A letter and its mark as two characters, as some systems write them.
    assert one_line("I\u0307zmir s\u0327ubesi") == "I\u0307zmir s\u0327ubesi"
    assert places(CollectionRequest, {**order, "description": "ş" * LONGEST_TEXT}) == {}


@pytest.mark.parametrize("name", [name for name, model in REQUESTS.items() if issubclass(model, TransactionNamed)])
@pytest.mark.parametrize(("field", "longest"), [("transaction_code", 40), ("merchant_oid", 20)])
def test_codes_of_haso(name: str, field: str, longest: int) -> None:
    for good in ("A", "TRX-2026/0001", "a.b_c", "7e591df3"[:longest], "1" * longest):
        assert refusal(name, field, good) is None
    for bad in ("", "1" * (longest + 1), "TRX 1", "TRX%201", "Ş1", "a+b", "a:b", "TRX\n", "１"):
        assert refusal(name, field, bad) == f"String should match pattern '^[A-Za-z0-9._/-]{{1,{longest}}}$'"


@given(st.text(max_size=6) | st.text(st.sampled_from([*HIDDEN.values(), "a", "ş", " "]), max_size=6))
def test_the_described_pattern_takes_all_that_is_taken(text: str) -> None:
    """The description names a line, and no blanks at its ends; it need not name everything that nobody sees."""
    try:
        taken = bool(one_line(text))
    except ValueError:
        taken = False
    if taken:
        assert re.fullmatch(ONE_LINE, text)


@pytest.mark.parametrize("text", [" a", "a ", " ", "\n", "a\nb", ""])
def test_the_described_pattern_wants_one_line_with_something_at_both_ends(text: str) -> None:
    assert not re.fullmatch(ONE_LINE, text)
    assert bool(re.fullmatch(f"^$|{ONE_LINE}", text)) == (text == "")
