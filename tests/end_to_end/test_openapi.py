"""The API and its document: the examples are real answers, and the document allows every answer."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS
from vezne_cli.document.document import ANSWERS
from vezne_cli.document.examples import answers
from vezne_cli.stack import Stack

from tests.end_to_end.conformity import closed_document, validator

RECORDED = json.loads(ANSWERS.read_text())
# Fields that differ from one run to the next.
VOLATILE = {
    "operation_id", "created_at", "updated_at", "issue_date", "transaction_object_id", "gateway_object_id", "id",
    "payment_transaction_id", "transaction_id", "term_date", "xact_id", "xact_date", "order_id", "authorization_code",
    "reference_code", "reference_no", "inv_payment_transaction_query_oid", "TransactionObjectId", "description",
    "institution_transaction_code", "InstitutionTransactionCode", "provider_reference", "booked_at",
}  # fmt: skip


def alike(recorded: Any, answered: Any, name: str = "") -> bool:
    """Whether two answers are equal, except ids and times. Those must be of the same kind."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        return recorded.keys() == answered.keys() and all(alike(recorded[key], answered[key], key) for key in recorded)
    if isinstance(recorded, list) and isinstance(answered, list):
        return len(recorded) == len(answered) and all(
            alike(one, other, name) for one, other in zip(recorded, answered, strict=True)
        )
    return type(recorded) is type(answered) if name in VOLATILE else recorded == answered


@pytest.fixture(scope="module")
def answered(whole_stack: Stack) -> Iterator[dict[str, dict[str, Any]]]:
    yield answers(whole_stack)
    whole_stack.sandbox.reset()


@pytest.mark.parametrize("name", RECORDED)
def test_an_example_is_what_the_stack_answers(answered: dict[str, dict[str, Any]], name: str) -> None:
    assert answered[name].keys() == RECORDED[name].keys()
    for status, recorded in RECORDED[name].items():
        assert alike(recorded, answered[name][status]), (status, recorded, answered[name][status])


def test_the_comparison_sees_a_difference() -> None:
    assert not alike({"amount": "1.00"}, {"amount": "1.0"})
    assert not alike({"operation_id": "op_a"}, {"operation_id": None})
    assert not alike([{}], [])
    assert not alike({"a": 1}, {"a": 1, "b": 2})


@pytest.mark.parametrize("name", RECORDED)
def test_an_answer_has_no_field_that_is_not_documented(answered: dict[str, dict[str, Any]], name: str) -> None:
    document = closed_document()
    (operation,) = [
        it for methods in document["paths"].values() for it in methods.values() if it["operationId"] == name
    ]
    for status, body in answered[name].items():
        (content,) = operation["responses"][status]["content"].values()
        documented = validator(document, content)
        assert list(documented.iter_errors(body)) == []
        with_more = {**copy.deepcopy(body), "undocumented": 1}
        assert not documented.is_valid(with_more)


def without_examples(node: Any) -> Any:
    """The document without its examples. They name the golden orders, which other tests send."""
    if isinstance(node, list):
        return [without_examples(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {name: without_examples(value) for name, value in node.items() if name not in ("example", "examples")}


API = schemathesis.openapi.from_dict(without_examples(closed_document()))
ALLOWED = [
    CHECKS.get_one(name)
    for name in (
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "not_a_server_error",
    )
]
# Fifteen generated requests of each kind per route, and those at the limits of each schema.
BOUNDED = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def token_of_its_own(whole_stack: Stack) -> str:
    """A token of a separate client, so that no other test uses its keys."""
    return whole_stack.token(whole_stack.new_client("contract"))


@API.parametrize()
@BOUNDED
def test_no_response_that_the_document_does_not_allow(case: Any, whole_stack: Stack, token_of_its_own: str) -> None:
    headers = {"Authorization": f"Bearer {token_of_its_own}"}
    case.call_and_validate(base_url=whole_stack.api_url, headers=headers, checks=ALLOWED, timeout=40)
