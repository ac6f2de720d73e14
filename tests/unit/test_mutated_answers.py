"""KolayBi, HASO and Paynet: no small change of a genuine answer or row makes another certain outcome of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from vezne.operation import Operation, Order
from vezne.orders.evidence import plain_number

from tests.support.example import Example
from tests.support.harness import START, operation_of
from tests.support.mutations import (
    MISSING,
    Mutation,
    Path,
    example_order,
    example_record,
    finding_on,
    mutations,
    verdict_on,
    wrongly_believed,
)
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO, haso_plan
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI, KOLAYBI_DATA
from tests.support.operations.paynet_capture import CAPTURE_ANSWER, EXAMPLE as PAYNET, capture_row

SUCCEEDED, DECLINED, UNKNOWN = "Succeeded", "Declined", "Unknown"
FOUND, NOT_FOUND, INCONCLUSIVE = "Found", "NotFound", "Inconclusive"
Extra = dict[Path, Sequence[Any]]


def order_of(example: Example) -> tuple[Operation[Any, Any, Any], Order[Any]]:
    operation = operation_of(example.function)
    return operation, replace(example_order(operation, example.request), ordered_at=START)


@dataclass(frozen=True)
class Genuine:
    """An answer as the provider gives it, and its outcome.

    `deciding`: fields whose every other value leaves the outcome unknown. `contrary`: members to be added, each of
    which contradicts the outcome.
    """

    example: Example
    status: int
    body: dict[str, Any]
    outcome: str
    deciding: frozenset[Path]
    contrary: Extra

    def __str__(self) -> str:
        return f"{self.example.operation} {self.status} {self.outcome}"


FAILURES: dict[str, Sequence[Any]] = {
    "success": [False, "false", 0],
    "errors": [["x"], {"amount": ["x"]}],
    "error": ["x", {"message": "x"}],
}
KOLAYBI_FAILURES: Extra = {
    **{(*place, name): signs for place in ((), ("data",)) for name, signs in FAILURES.items()},
    ("code",): ["E42", 500, "0"],
    ("data", "status"): ["İptal Edildi"],
    ("data", "deleted_at"): ["2026-12-01 09:00:00"],
}
ANSWERS = [
    Genuine(KOLAYBI, 200, {"data": KOLAYBI_DATA}, SUCCEEDED,
            frozenset({("data",), ("data", "transaction_status"), ("data", "amount"), ("data", "currency")}),
            KOLAYBI_FAILURES),
    Genuine(KOLAYBI, 422, {"success": False, "code": "E42", "message": "Kasa bulunamadı", "errors": {}}, DECLINED,
            frozenset({("success",)}),
            {("data",): [KOLAYBI_DATA, [1]], ("transaction_status",): ["Tamamlandı"]}),
    Genuine(KOLAYBI, 200, {"data": {**KOLAYBI_DATA, "transaction_status": "Beklemede"}}, UNKNOWN, frozenset(),
            {("success",): [True], ("code",): [200]}),
    Genuine(KOLAYBI, 403, {"message": "Forbidden"}, UNKNOWN, frozenset(), {("code",): ["E42"], ("errors",): [["x"]]}),
    Genuine(HASO, 200, {"Success": True, "Errors": [], "Data": haso_plan("330")}, SUCCEEDED,
            frozenset({("Success",), ("Data",), ("Data", "PaymentPlan")}),
            {("success",): [False], ("result",): [{"success": False}, "HATA"]}),
    Genuine(HASO, 200, {"Success": False, "Errors": ["H101 İşlem bulunamadı"], "Data": {}}, DECLINED,
            frozenset({("Success",)}),
            {("success",): [True], ("result",): ["Başarılı"], ("Data", "Message"): ["RS100"],
             ("PaymentPlan",): [haso_plan("330")["PaymentPlan"]]}),
    Genuine(HASO, 200, {"Success": True, "Errors": [], "Data": haso_plan("331")["PaymentPlan"][1]}, UNKNOWN,
            frozenset(), {("result",): [True]}),
    Genuine(HASO, 422, {"message": "Forbidden"}, UNKNOWN, frozenset(), {("Errors",): [["H101"]]}),
    Genuine(PAYNET, 200, {**CAPTURE_ANSWER, "amount": Decimal("49.90")}, SUCCEEDED,
            frozenset({("is_succeed",)}),
            {("bank_error_id",): ["51"], ("paynet_error_message",): ["Kapalı"], ("type",): ["api_error"],
             ("result_code",): [8, 1], ("reversed",): [True], ("code",): [8, "8", 1, [0]], ("amount",): [1, "49,90"],
             ("transaction_type",): [1, "S", 8], ("currency",): ["USD", 949]}),
    Genuine(PAYNET, 200, {**CAPTURE_ANSWER, "is_succeed": False, "code": 1, "bank_error_id": "51"}, DECLINED,
            frozenset({("is_succeed",)}),
            {("authorization_code",): ["aut-1"], ("result_code",): [8, 5, 0], ("code",): [5, 8, 10, 100, " 1", 1.0]}),
    Genuine(PAYNET, 400, {"type": "api_error", "message": "Mesaj", "code": 400, "result_code": 11}, DECLINED,
            frozenset({("type",), ("code",)}),
            {("is_succeed",): [True, "true", 1], ("authorization_code",): ["aut-1"],
             ("result_code",): [None, 8.0, " 8", [8], 9999, 0, 5, 8, 10, 100, 1, True]}),
    Genuine(PAYNET, 200, {**CAPTURE_ANSWER, "is_succeed": None}, UNKNOWN, frozenset(), {("result",): [True]}),
    Genuine(PAYNET, 403, {"message": "Forbidden"}, UNKNOWN, frozenset(), {("result_code",): [7], ("code",): [403]}),
]  # fmt: skip


def same_value(mutation: Mutation, genuine: Any) -> bool:
    """Whether the change writes the very same amount, code or currency in another form that is known."""
    value = mutation.value
    number = plain_number(value)
    if isinstance(genuine, (int, Decimal)) and number is not None:
        return number == genuine
    return isinstance(value, str) and mutation.path[-1] == "currency" and value.upper() == genuine


def is_among(mutation: Mutation, contrary: Extra) -> bool:
    """Whether the change puts one of these values into its field: `1` and `true` are two."""
    values = contrary.get(mutation.path, ())
    return any(type(value) is type(mutation.value) and value == mutation.value for value in values)


def at(body: Any, path: Path) -> Any:
    for part in path:
        body = body[part]
    return body


@pytest.mark.parametrize("genuine", ANSWERS, ids=str)
def test_no_change_of_an_answer_gives_another_certain_outcome(genuine: Genuine) -> None:
    operation, order = order_of(genuine.example)

    def verdict(body: Any) -> str:
        return verdict_on(operation, order, body, genuine.status)

    assert verdict(genuine.body) == genuine.outcome
    tried = [(one, verdict(one.body)) for one in mutations(genuine.body, genuine.contrary)]
    # An unknown answer becomes certain only by the very field that made it unknown.
    doubtful = (
        {("data", "transaction_status"), ("data",), ("Data",), ("is_succeed",)} if genuine.outcome == UNKNOWN else set()
    )
    others = [(one, said) for one, said in tried if one.path not in doubtful]
    assert wrongly_believed(others, {genuine.outcome, UNKNOWN}) == []
    decisive = [
        (one, said)
        for one, said in tried
        if is_among(one, genuine.contrary)
        or (one.path in genuine.deciding and not same_value(one, at(genuine.body, one.path)))
    ]
    assert len(decisive) >= len(genuine.contrary)
    assert wrongly_believed(decisive, {UNKNOWN}) == []


@pytest.mark.parametrize("genuine", ANSWERS, ids=str)
@pytest.mark.parametrize("status", [201, 202, 204, 302, 400, 402, 403, 404, 408, 409, 422, 425, 429])
def test_no_other_status_makes_another_outcome_of_an_answer(genuine: Genuine, status: int) -> None:
    operation, order = order_of(genuine.example)
    assert verdict_on(operation, order, genuine.body, status) in (genuine.outcome, UNKNOWN)


@dataclass(frozen=True)
class Listed:
    """A look-up's answer that shows our order in one row, which stands at `row`."""

    example: Example
    body: Callable[[Order[Any]], dict[str, Any]]
    row: Path
    deciding: frozenset[str]
    contrary: dict[str, Sequence[Any]]

    def __str__(self) -> str:
        return self.example.operation


def kolaybi_list(order: Order[Any]) -> dict[str, Any]:
    marker = operation_of("kolaybi_collect").lookup_fields(order)["marker"]
    row = {**KOLAYBI_DATA, "id": 9, "description": marker, "issue_date": "2026-12-01 09:00:05"}
    return {"success": True, "data": [row, {"description": "başka", "amount": 250.75}]}


def paynet_list(_: Order[Any]) -> dict[str, Any]:
    ours = {**capture_row(START + 2), "reversed": False, "id": "8230", "agent_reference": "r"}
    before = {**CAPTURE_ANSWER, "transaction_type": 3, "id": "8229", "agent_reference": "r"}
    return {"object_name": "transaction", "code": 0, "Data": [before, ours]}


LISTS = [
    Listed(KOLAYBI, kolaybi_list, ("data", 0),
           frozenset({"transaction_status", "transaction_type", "amount", "currency", "description"}),
           {"success": [False], "errors": [["x"]], "status": ["İptal Edildi"], "is_cancelled": [True]}),
    Listed(HASO, lambda _: {"Success": True, "Errors": [], "Data": haso_plan("330")}, ("Data", "PaymentPlan", 1),
           frozenset({"totalExpenseAmount"}), {}),
    Listed(PAYNET, paynet_list, ("Data", 1),
           frozenset({"transaction_type", "amount", "currency", "is_succeed", "reversed"}),
           {"bank_error_id": ["51"], "reversed_xact_id": ["xk_9"], "result_code": [8], "code": [8]}),
]  # fmt: skip


@pytest.mark.parametrize("listed", LISTS, ids=str)
def test_no_change_of_a_row_of_ours_is_believed(listed: Listed) -> None:
    operation, order = order_of(listed.example)
    record, module = (
        example_record(operation, order),
        import_module(f"vezne.providers.{listed.example.provider}.client"),
    )
    body = listed.body(order)
    assert finding_on(operation, record, module, body) == FOUND
    extra = {(*listed.row, name): signs for name, signs in listed.contrary.items()}
    tried = [(one, finding_on(operation, record, module, one.body)) for one in mutations(body, extra)]
    decisive = [
        (one, said)
        for one, said in tried
        if is_among(one, extra) or (
            one.path[:-1] == listed.row and one.path[-1] in listed.deciding
            and not same_value(one, at(body, one.path))
            # What the row does not say contradicts nothing, except that it must name us.
            and (one.path[-1] == "description" or (one.value is not MISSING and one.value is not None))
        )
    ]  # fmt: skip
    assert len(decisive) > 20
    assert wrongly_believed(decisive, {NOT_FOUND, INCONCLUSIVE}) == []


@pytest.mark.parametrize("listed", LISTS, ids=str)
def test_no_second_change_makes_a_row_believed_that_does_not_fit(listed: Listed) -> None:
    operation, order = order_of(listed.example)
    record, module = (
        example_record(operation, order),
        import_module(f"vezne.providers.{listed.example.provider}.client"),
    )
    body = listed.body(order)
    for name in sorted(listed.deciding):
        wrong = next(one for one in mutations(body) if one.path == (*listed.row, name) and one.value == "other")
        second = [one for one in mutations(wrong.body) if one.path[: len(wrong.path)] != wrong.path
                  and wrong.path[: len(one.path)] != one.path]  # fmt: skip
        tried = [(one, finding_on(operation, record, module, one.body)) for one in second]
        assert wrongly_believed(tried, {NOT_FOUND, INCONCLUSIVE}) == [], name
