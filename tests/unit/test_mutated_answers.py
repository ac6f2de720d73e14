"""No small change of a genuine answer or row turns unknown into certain, or one certain outcome into another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from vezne import inquiries
from vezne.inquiries import InquiryFailedError, kolaybi
from vezne.operation import Operation, Order
from vezne.outcome import Declined, Found, NotFound, Succeeded, Unknown
from vezne.provider import Answer, Deadline
from vezne.record import PROCESSING, Record

from tests.support.bench import START, operation_of
from tests.support.examples import KOLAYBI, KOLAYBI_DATA, Example
from tests.support.mutations import MISSING, Mutation, Path, mutations
from tests.support.provider_server import json_reply

DEADLINE = Deadline(lambda: 27_000)
SUCCEEDED, DECLINED, UNKNOWN, NOT_FOUND = "succeeded", "declined", "unknown", "not found"


def order_of(example: Example) -> tuple[Operation[Any, Any], Order[Any]]:
    operation = operation_of(example.function)
    request = operation.request_model.model_validate(example.standing_request)
    return operation, replace(operation.order("client-1", "key-1", request), ordered_at=START)


def record_of(operation: Operation[Any, Any], order: Order[Any], **changes: Any) -> Record:
    """The order's record, as it was claimed at START."""
    return Record(
        id=order.operation_id, operation=operation.name, principal="client-1", fingerprint=order.fingerprint,
        status=PROCESSING, owner="another", lease_until=START + 27, in_flight_until=START + 27, created_at=START,
        updated_at=START, clues=operation.clues(order), **changes,
    )  # fmt: skip


def read(example: Example, status: int, body: Any) -> str:
    """What an answer is taken for. What cannot be read is unknown, as the path has it."""
    operation, order = order_of(example)
    try:
        outcome = operation.read(order, Answer(status, json_reply(body).body))
    except Exception:
        return UNKNOWN
    return {Succeeded: SUCCEEDED, Declined: DECLINED, Unknown: UNKNOWN}[type(outcome)]


def looked_up(example: Example, body: Any, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
    """What a look-up finds in this answer to its inquiry."""
    operation, order = order_of(example)
    module = getattr(inquiries, example.provider)
    monkeypatch.setattr(module, "ask", lambda *_, **__: Answer(200, json_reply(body).body))
    try:
        finding = operation.look_up(record_of(operation, order, **changes), DEADLINE)
    except (InquiryFailedError, ValueError):
        return UNKNOWN
    if isinstance(finding, Found):
        return SUCCEEDED if isinstance(finding.outcome, Succeeded) else DECLINED
    return NOT_FOUND if isinstance(finding, NotFound) else UNKNOWN


@dataclass(frozen=True)
class Genuine:
    """An answer as the provider gives it, and the fields whose every other value must leave the outcome unknown."""

    example: Example
    status: int
    body: dict[str, Any]
    outcome: str
    deciding: frozenset[str]
    extra: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.example.operation} {self.outcome}"


KOLAYBI_SIGNS: dict[str, Any] = {
    "success": False, "errors": {"amount": ["x"]}, "error": "x", "code": "E42", "transaction_status": "Tamamlandı",
    "deleted_at": "2026-12-01 09:00:00", "status": "İptal Edildi", "data": KOLAYBI_DATA,
}  # fmt: skip
ANSWERS = [
    Genuine(KOLAYBI, 200, {"success": True, "errors": [], "data": KOLAYBI_DATA}, SUCCEEDED,
            frozenset({"transaction_status", "amount", "currency", "data"}), KOLAYBI_SIGNS),
    Genuine(KOLAYBI, 422, {"success": False, "code": "E42", "message": "Kasa bulunamadı", "errors": {}}, DECLINED,
            frozenset({"success"}), KOLAYBI_SIGNS),
    Genuine(KOLAYBI, 200, {"data": {**KOLAYBI_DATA, "transaction_status": "Beklemede"}}, UNKNOWN,
            frozenset({"transaction_status"}), KOLAYBI_SIGNS | {"success": True}),
    Genuine(KOLAYBI, 422, {"message": "Forbidden"}, UNKNOWN, frozenset(),
            {name: sign for name, sign in KOLAYBI_SIGNS.items() if name != "success"}),
]  # fmt: skip


def same_value(mutation: Mutation, genuine: Any) -> bool:
    """Whether the change writes the very same amount, code or currency in another form that is known."""
    value = mutation.value
    if isinstance(value, bool) or isinstance(genuine, bool):
        return False
    if isinstance(genuine, (int, Decimal)) and isinstance(value, (int, Decimal, str)):
        return mutation.what in ("as text", "as text with zeros", "as a fraction")
    if mutation.field == "description" and value == f"{genuine} ":
        return True  # The marker, and no text behind it.
    return value == genuine or (mutation.field == "currency" and isinstance(value, str) and value.upper() == genuine)


def at(answer: Any, mutation: Mutation) -> Any:
    """What stands in the genuine answer where it was changed."""
    for part in mutation.path:
        if isinstance(answer, dict) and part not in answer:
            return MISSING
        answer = answer[part]
    return answer


@pytest.mark.parametrize("genuine", ANSWERS, ids=str)
def test_no_change_of_an_answer_makes_another_outcome_of_it(genuine: Genuine) -> None:
    assert read(genuine.example, genuine.status, genuine.body) == genuine.outcome
    tried = list(mutations(genuine.body, genuine.extra))
    assert len(tried) > 10
    verdicts = {str(mutation): read(genuine.example, genuine.status, mutation.answer) for mutation in tried}
    assert {name: verdict for name, verdict in verdicts.items() if verdict not in (genuine.outcome, UNKNOWN)} == {}
    believed = [
        str(mutation)
        for mutation in tried
        if mutation.path[-1] in genuine.deciding and verdicts[str(mutation)] != UNKNOWN
        and at(genuine.body, mutation) is not MISSING and not same_value(mutation, at(genuine.body, mutation))
    ]  # fmt: skip
    assert believed == []


@pytest.mark.parametrize("genuine", ANSWERS, ids=str)
@pytest.mark.parametrize("status", [201, 202, 204, 302, 400, 402, 403, 404, 408, 409, 422, 425, 429])
def test_no_other_status_makes_another_outcome_of_an_answer(genuine: Genuine, status: int) -> None:
    assert read(genuine.example, status, genuine.body) in (genuine.outcome, UNKNOWN)


def kolaybi_row(order: Order[Any]) -> dict[str, Any]:
    marker = operation_of("kolaybi_collect").clues(order)["marker"]
    return {**KOLAYBI_DATA, "id": 9, "description": marker, "issue_date": "2026-12-01 09:00:05"}


@dataclass(frozen=True)
class Listed:
    """A look-up's answer that shows one order of ours."""

    example: Example
    body: Callable[[Order[Any]], dict[str, Any]]
    # Where our row stands in it.
    row: Path
    deciding: frozenset[str]
    extra: Mapping[str, Any]

    def __str__(self) -> str:
        return self.example.operation

    def decides(self, mutation: Mutation) -> bool:
        """Whether the change is one of a deciding field of our row."""
        return mutation.path[:-1] == self.row and mutation.path[-1] in self.deciding


def kolaybi_list(order: Order[Any]) -> dict[str, Any]:
    return {"success": True, "data": [kolaybi_row(order), {"description": "başka"}]}


LISTS = [
    Listed(KOLAYBI, kolaybi_list, ("data", 0),
           frozenset({"transaction_status", "transaction_type", "amount", "currency", "description"}), KOLAYBI_SIGNS),
]  # fmt: skip


@pytest.mark.parametrize("listed", LISTS, ids=str)
def test_no_change_of_a_row_makes_another_outcome_of_it(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    _, order = order_of(listed.example)
    body = listed.body(order)
    assert looked_up(listed.example, body, monkeypatch) == SUCCEEDED
    tried = list(mutations(body, listed.extra))
    verdicts = {str(mutation): looked_up(listed.example, mutation.answer, monkeypatch) for mutation in tried}
    assert DECLINED not in verdicts.values()
    believed = [
        str(mutation)
        for mutation in tried
        if verdicts[str(mutation)] == SUCCEEDED and listed.decides(mutation)
        and mutation.value not in (MISSING, None) and not same_value(mutation, at(body, mutation))
    ]  # fmt: skip
    assert believed == []


@pytest.mark.parametrize("listed", LISTS, ids=str)
def test_no_change_of_a_row_that_does_not_fit_makes_a_success_of_it(
    listed: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thing is wrong; whatever else changes beside it, nothing is proven."""
    _, order = order_of(listed.example)
    body = listed.body(order)
    for wrong in mutations(body):
        if not listed.decides(wrong) or wrong.what not in ("other", "a little more"):
            continue
        for mutation in mutations(wrong.answer, listed.extra):
            if mutation.path[: len(wrong.path)] == wrong.path or wrong.path[: len(mutation.path)] == mutation.path:
                continue
            assert looked_up(listed.example, mutation.answer, monkeypatch) != SUCCEEDED, (str(wrong), str(mutation))


def test_the_inquiries_of_the_module_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-ups above go through `ask`, in whose place these tests answer."""
    monkeypatch.setattr(kolaybi, "ask", lambda *_, **__: Answer(404, b"{}"))
    operation, order = order_of(KOLAYBI)
    with pytest.raises(InquiryFailedError):
        operation.look_up(record_of(operation, order), DEADLINE)
