"""Generated bad input for all routes of the deployed stack: no 5xx, nothing at a provider, always a problem document.

Each request must be refused: it is a valid order or inquiry with one fault. `make fuzz` sends more of them
(VEZNE_FUZZ_REQUESTS), and VEZNE_FAULTS_SEED chooses others.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed as with_seed, settings, strategies as st
from pydantic import ValidationError
from vezne_cli.catalogue import INQUIRIES
from vezne_cli.golden import golden
from vezne_cli.stack import Stack

from tests.support.asked import whole_number
from tests.support.operations import OPERATIONS
from tests.support.order import new_order

REQUESTS = whole_number("VEZNE_FUZZ_REQUESTS", 500, 10_000_000, "REQUESTS")
SEED = whole_number("VEZNE_FAULTS_SEED", 1, 10**9)
JSON = "application/json"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)
# These values fit no field: every field is a scalar, a list of numbers or an object of known names.
FITS_NOTHING = st.dictionaries(st.text("abcxyz", min_size=1, max_size=5).map("x_{}".format), ANYTHING, min_size=1)
# These values fit no parameter that is a number, a date, a currency or one of some words.
NO_SUCH_WORD = st.text("abcxyz-09", max_size=20).map("x{}".format)
IN_A_PATH = st.text("abcxyz0189-_.~%20ğü", min_size=1, max_size=30).map(lambda text: text.replace("%", "%25"))


@dataclass(frozen=True)
class Sent:
    """A request, and its fault."""

    what: str
    method: str
    path: str
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    token: bool = True


@st.composite
def orders(draw: st.DrawFn) -> Sent:
    """A valid order of any operation."""
    one = new_order(draw(st.sampled_from(OPERATIONS)))
    headers = {"Content-Type": JSON, "Idempotency-Key": one.key}
    return Sent("valid", "POST", one.path, json.dumps(one.body).encode(), headers)


def question(name: str) -> Sent:
    """An inquiry with the parameters of its golden event."""
    one = golden(name)
    if one.body is None:
        return Sent("valid", one.method, one.url)
    return Sent("valid", one.method, one.url, json.dumps(one.body).encode(), {"Content-Type": JSON})


WITH_A_BODY = orders() | st.just(question("walletgate.list_bills"))
ANY_VALID = orders() | st.sampled_from(sorted(INQUIRIES)).map(question)


@st.composite
def with_a_wrong_field(draw: st.DrawFn) -> Sent:
    order = draw(WITH_A_BODY)
    body = json.loads(order.content)
    body[draw(st.sampled_from(sorted(body)))] = draw(FITS_NOTHING)
    return replace(order, what="wrong field", content=json.dumps(body).encode())


@st.composite
def with_a_text_that_is_not_one_line(draw: st.DrawFn) -> Sent:
    """An invisible character, a blank at an end, or more characters than any field allows."""
    order = draw(WITH_A_BODY)
    body = json.loads(order.content)
    texts = sorted(name for name, value in body.items() if isinstance(value, str))
    name = draw(st.sampled_from(texts))
    around = body[name]
    hidden = st.characters(categories=["Cc", "Cf", "Co", "Cn", "Zl", "Zp"]) | st.just("\u00a0")
    body[name] = draw(
        hidden.map(lambda character: f"{around}{character}{around}")
        | hidden.map(lambda character: f"{around}{character}")
        | st.sampled_from([f" {around}", f"{around} "])
        | st.integers(141, 5000).map(lambda length: "1" * length)
    )
    return replace(order, what="not one line", content=json.dumps(body).encode())


@st.composite
def with_an_unknown_field(draw: st.DrawFn) -> Sent:
    order = draw(WITH_A_BODY)
    body = {**json.loads(order.content), f"x{draw(TEXT)}": draw(ANYTHING)}
    return replace(order, what="unknown field", content=json.dumps(body).encode())


@st.composite
def with_another_body(draw: st.DrawFn) -> Sent:
    order = draw(WITH_A_BODY)
    whole = order.content
    content = draw(
        st.binary(max_size=200)
        | ANYTHING.map(lambda value: json.dumps(value).encode())
        | st.integers(0, len(whole) - 1).map(lambda end: whole[:end])
        | st.integers(1, 5000).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth)
        | st.integers(65537, 70000).map(lambda size: b'{"a": "' + b"x" * size + b'"}')
        | st.just(whole[:-1] + b"," + whole[1:])
        | st.just(whole.replace(b'": "', b'": NaN, "x": "', 1))
    )
    return replace(order, what="another body", content=content)


@st.composite
def with_a_wrong_header(draw: st.DrawFn) -> Sent:
    order = draw(orders())
    odd = st.text("abc \t\u00e9", max_size=20).map(lambda text: f"a{text} x")
    key = draw(st.sampled_from([None, "", "k" * 256]) | odd)
    if draw(st.booleans()):
        headers = {"Content-Type": JSON} | ({} if key is None else {"Idempotency-Key": key})
        return replace(order, what="wrong key", headers=headers)
    other = draw(st.sampled_from(["text/plain", "application/xml", "multipart/form-data; boundary=x", "x", "*/*"]))
    return replace(order, what="wrong type", headers={**order.headers, "Content-Type": other})


@st.composite
def with_a_wrong_path(draw: st.DrawFn) -> Sent:
    """A wrong path. Some of these are valid transaction codes, so there the body is wrong, too."""
    name = draw(IN_A_PATH)
    path = draw(st.sampled_from([f"/kolaybi/associates/{name}/collections", f"/haso/transactions/{name}/expenses"]))
    order = draw(with_an_unknown_field())
    return replace(order, what="wrong path", path=path)


def wrong_values(name: str, right: list[tuple[str, str]]) -> st.SearchStrategy[list[tuple[str, str]]] | None:
    """A value that does not fit the parameter, or a missing required one; None if every value fits."""
    model, in_path = INQUIRIES[name].request, INQUIRIES[name].path
    assert model is not None
    found: list[st.SearchStrategy[list[tuple[str, str]]]] = []
    schema = model.model_json_schema()
    for field_name, facts in schema["properties"].items():
        text = json.dumps([facts, schema.get("$defs", {})] if "$ref" in json.dumps(facts) else facts)
        longest = re.search(r'"maxLength": (\d+)', text)
        if f"{{{field_name}}}" in in_path:
            continue
        if '"enum"' in text or '"const"' in text or '"format": "date"' in text:
            found.append(NO_SUCH_WORD.map(lambda word, one=field_name: [*without(right, one), (one, word)]))
        elif longest:
            long = st.text("abcxyz", min_size=int(longest[1]) + 1)
            found.append(long.map(lambda word, one=field_name: [*without(right, one), (one, word)]))
    try:
        model.model_validate_strings({each: golden(name).parameters[each] for each in re.findall(r"{(\w+)}", in_path)})
    except ValidationError:
        found.append(st.just([]))
    return st.one_of(found) if found else None


def without(parameters: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    return [one for one in parameters if one[0] != name]


@st.composite
def with_a_wrong_parameter(draw: st.DrawFn) -> Sent:
    """An inquiry with an unknown, repeated, malformed or missing parameter."""
    name = draw(st.sampled_from([name for name in sorted(INQUIRIES) if golden(name).body is None]))
    right = list(golden(name).query.items())
    unknown = st.tuples(NO_SUCH_WORD, TEXT).map(lambda one: [*right, one])
    wrong = wrong_values(name, right) or unknown
    twice = st.sampled_from(right).map(lambda one: [*right, one]) if right else unknown
    path = golden(name).path
    return Sent("wrong parameter", "GET", f"{path}?{urlencode(draw(unknown | twice | wrong))}")


@st.composite
def with_a_wrong_associate(draw: st.DrawFn) -> Sent:
    return Sent("wrong path", "GET", f"/kolaybi/associates/x{draw(IN_A_PATH)}/transactions")


@st.composite
def with_another_method(draw: st.DrawFn) -> Sent:
    valid = draw(ANY_VALID)
    others = [method for method in ("GET", "PUT", "PATCH", "DELETE") if method != valid.method]
    return replace(valid, what="other method", method=draw(st.sampled_from(others)))


@st.composite
def without_a_right(draw: st.DrawFn) -> Sent:
    order = draw(ANY_VALID)
    token = draw(st.none() | st.text("abc.-_0", min_size=1, max_size=60))
    headers = order.headers if token is None else {**order.headers, "Authorization": f"Bearer {token}"}
    return replace(order, what="no right", headers=headers, token=False)


@st.composite
def of_an_operation_that_does_not_exist(draw: st.DrawFn) -> Sent:
    wanted = draw(IN_A_PATH | st.text("abcdefgh234567", min_size=26, max_size=26).map("op_{}".format))
    return Sent("no such operation", "GET", f"/operations/{wanted}")


BAD = st.one_of(
    with_a_wrong_field(), with_a_text_that_is_not_one_line(), with_an_unknown_field(), with_another_body(),
    with_a_wrong_header(), with_a_wrong_path(), with_a_wrong_parameter(),
    with_a_wrong_associate(), with_another_method(), without_a_right(),
    of_an_operation_that_does_not_exist(),
)  # fmt: skip


def is_problem(answer: httpx.Response) -> bool:
    """Check the documented form: RFC 9457, with `money` and `retry`."""
    if answer.headers.get("content-type") != "application/problem+json":
        return False
    problem: dict[str, Any] = answer.json()
    texts = all(isinstance(problem.get(name), str) for name in ("type", "title"))
    # A client without the right, or one that asks for an operation, may have sent an order before. Any other of these
    # requests never moved money.
    looked_for = answer.status_code in (401, 403) or problem["type"].endswith("/problems/operation-not-found")
    money = problem.get("money") == ("unknown" if looked_for else "not_moved")
    return texts and money and problem["status"] == answer.status_code and problem["retry"] in (
        "same_key", "new_key", "never")  # fmt: skip


@pytest.mark.timeout(3600)
def test_bad_input_is_refused_with_a_problem_and_reaches_no_provider(stack: Stack, token: str) -> None:
    before, told = len(stack.sandbox.calls()), Counter[str]()

    @with_seed(SEED)
    @settings(
        max_examples=REQUESTS, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(BAD)
    def send(bad: Sent) -> None:
        headers = {name: value.encode() for name, value in bad.headers.items()}
        answer = stack.http.request(
            bad.method, stack.api_url + bad.path, content=bad.content,
            headers=headers | ({"Authorization": f"Bearer {token}".encode()} if bad.token else {}),
        )  # fmt: skip
        told[f"{bad.what} {answer.status_code}"] += 1
        assert 400 <= answer.status_code < 500, (bad, answer.text)
        assert is_problem(answer), (bad, answer.text)
        assert len(stack.sandbox.calls()) == before, bad

    send()
    assert told.total() >= REQUESTS
    print(f"\nfuzz: {told.total()} requests, none reached a provider: {dict(sorted(told.items()))}")
