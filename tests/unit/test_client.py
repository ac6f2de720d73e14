"""The client's promises: one key per order through all its retries, retries only where `retry` says so, no guessing."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from vezne.models.paynet import CaptureRequest
from vezne.models.paynet_inquiries import CheckRequest
from vezne.models.walletgate_inquiries import BillsRequest

from tests.client import (
    CAPTURE,
    CHECK,
    LIST_BILLS,
    AsyncClient,
    Client,
    Credentials,
    OutcomeUnknown,
    Problem,
    Succeeded,
)

API, TOKENS = "https://api.example.com/v1", "https://login.example.com/oauth2/token"
OPERATION = "op_3njcavxk5jne7f7qg6r75dqs4w"
REQUEST = CaptureRequest(reference_no="R-1", amount="10.00")
Answer = tuple[int, dict[str, Any]] | tuple[int, dict[str, Any], dict[str, str]] | Exception


def problem(slug: str, status: int, money: str, retry: str) -> Answer:
    body = {"type": f"/v1/problems/{slug}", "title": slug, "status": status, "money": money, "retry": retry}
    return status, body


SUCCEEDED: Answer = (
    200,
    {"operation_id": OPERATION, "status": "succeeded", "result": {"xact_id": "x", "amount": "10.00"}},
)
UNKNOWN: Answer = (202, {"operation_id": OPERATION, "status": "unknown", "money": "unknown", "retry": "same_key"})
UNREACHABLE = problem("provider-unreachable", 503, "not_moved", "same_key")
DECLINED = problem("declined", 402, "not_moved", "new_key")
UNAUTHORIZED = problem("unauthorized", 401, "unknown", "same_key")
FORBIDDEN = problem("forbidden", 403, "unknown", "never")
UNAVAILABLE = problem("store-unavailable", 503, "unknown", "same_key")
LOST = httpx.ReadTimeout("no answer")


class Api:
    """Answers from a list, and remembers what came and how long the client waited."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.tokens = 0
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKENS:
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": 3600})
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        return httpx.Response(status, json=body, headers=headers[0] if headers else None)

    @property
    def keys(self) -> set[str]:
        return {request.headers["Idempotency-Key"] for request in self.requests}


Order = Callable[..., Any]


@pytest.fixture(params=["blocking", "asynchronous"])
def run(request: pytest.FixtureRequest) -> Order:
    """Carry out one call of either client."""
    own = Credentials(TOKENS, "client", "secret", ("vezne/paynet.capture",))

    def blocking(api: Api, method: str, *arguments: Any, **options: Any) -> Any:
        with Client(API, own, httpx.MockTransport(api)) as client:
            client._sleep = api.waits.append  # type: ignore[assignment]
            return getattr(client, method)(*arguments, **options)

    async def asynchronous(api: Api, method: str, *arguments: Any, **options: Any) -> Any:
        async def sleep(seconds: float) -> None:
            api.waits.append(seconds)

        async with AsyncClient(API, own, httpx.MockTransport(api)) as client:
            client._sleep = sleep  # type: ignore[assignment]
            return await getattr(client, method)(*arguments, **options)

    if request.param == "blocking":
        return blocking
    return lambda *arguments, **options: asyncio.run(asynchronous(*arguments, **options))


def test_an_order_that_succeeds_is_sent_once(run: Order) -> None:
    api = Api(SUCCEEDED)
    done: Succeeded[Any] = run(api, "order", CAPTURE, REQUEST, key="invoice-1")
    assert (done.operation_id, done.key, done.replayed) == (OPERATION, "invoice-1", False)
    assert str(done.result.amount) == "10.00"
    (sent,) = api.requests
    assert (sent.method, str(sent.url)) == ("POST", f"{API}/paynet/captures")
    assert json.loads(sent.content) == {"reference_no": "R-1", "amount": "10.00"}
    assert sent.headers["Authorization"] == "Bearer token-1"
    assert api.waits == []


@pytest.mark.parametrize(
    "first", [LOST, httpx.ConnectError("refused"), UNKNOWN, UNREACHABLE, UNAVAILABLE, (500, {}), (502, {"x": 1})]
)
def test_one_key_survives_every_retry(run: Order, first: Answer) -> None:
    api = Api(first, first, SUCCEEDED)
    done = run(api, "order", CAPTURE, REQUEST)
    assert api.keys == {done.key}
    assert len(api.requests) == 3
    assert len({request.content for request in api.requests}) == 1
    assert len(api.waits) == 2


def test_two_orders_have_two_keys(run: Order) -> None:
    first, second = (run(Api(SUCCEEDED), "order", CAPTURE, REQUEST) for _ in range(2))
    assert first.key != second.key


@pytest.mark.parametrize(
    "refusal",
    [
        DECLINED,
        problem("invalid-request", 400, "not_moved", "never"),
        problem("idempotency-key-reused", 422, "not_moved", "new_key"),
        # The status is not what decides.
        problem("anything", 503, "not_moved", "never"),
        problem("anything", 429, "not_moved", "new_key"),
    ],
)
def test_nothing_is_sent_again_unless_retry_says_same_key(run: Order, refusal: Answer) -> None:
    api = Api(refusal)
    with pytest.raises(Problem) as raised:
        run(api, "order", CAPTURE, REQUEST)
    assert raised.value.money == "not_moved"
    assert len(api.requests) == 1


def test_an_unknown_outcome_that_turns_out_declined(run: Order) -> None:
    with pytest.raises(Problem) as raised:
        run(Api(UNKNOWN, DECLINED), "order", CAPTURE, REQUEST)
    assert raised.value.slug == "declined"


@pytest.mark.parametrize("last", [UNKNOWN, LOST, UNAVAILABLE])
def test_at_the_deadline_an_unknown_outcome_is_said_to_be_unknown(run: Order, last: Answer) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        run(Api(last), "order", CAPTURE, REQUEST, key="invoice-1", wait_seconds=0)
    assert raised.value.key == "invoice-1"
    assert raised.value.operation_id == (OPERATION if last is UNKNOWN else None)


@pytest.mark.parametrize("later", [UNREACHABLE, FORBIDDEN, problem("invalid-request", 400, "not_moved", "never")])
def test_a_later_refusal_at_the_door_does_not_make_an_unknown_outcome_known(run: Order, later: Answer) -> None:
    api = Api(LOST, later, *[later] * 20)
    with pytest.raises(OutcomeUnknown):
        run(api, "order", CAPTURE, REQUEST, wait_seconds=0.6)


def test_at_the_deadline_an_order_that_was_never_sent_on_is_a_problem(run: Order) -> None:
    with pytest.raises(Problem) as raised:
        run(Api(UNREACHABLE), "order", CAPTURE, REQUEST, wait_seconds=0)
    assert raised.value.money == "not_moved"


def test_it_waits_as_long_as_it_is_told(run: Order) -> None:
    status, body = UNKNOWN  # type: ignore[misc]
    api = Api((status, body, {"Retry-After": "7"}), SUCCEEDED)
    run(api, "order", CAPTURE, REQUEST)
    assert api.waits == [7.0]


def test_a_replay_is_told(run: Order) -> None:
    status, body = SUCCEEDED  # type: ignore[misc]
    assert run(Api((status, body, {"Idempotent-Replayed": "true"})), "order", CAPTURE, REQUEST).replayed


def test_what_an_operator_settled_has_no_result(run: Order) -> None:
    settled = (200, {"operation_id": OPERATION, "status": "succeeded", "result": {}})
    assert run(Api(settled), "order", CAPTURE, REQUEST).result is None


def test_a_refused_token_is_renewed_once_under_the_same_key(run: Order) -> None:
    api = Api(UNAUTHORIZED, SUCCEEDED)
    run(api, "order", CAPTURE, REQUEST)
    assert [request.headers["Authorization"] for request in api.requests] == ["Bearer token-1", "Bearer token-2"]
    assert len(api.keys) == 1


@pytest.mark.parametrize("refusal", [UNAUTHORIZED, FORBIDDEN])
def test_a_token_that_stays_refused_is_told_beside_the_outcome_it_leaves_unknown(run: Order, refusal: Answer) -> None:
    """An earlier run of this client may have sent the order under this key."""
    with pytest.raises(OutcomeUnknown) as raised:
        run(Api(refusal, refusal), "order", CAPTURE, REQUEST)
    assert isinstance(raised.value.__cause__, Problem)
    assert raised.value.__cause__.slug in ("unauthorized", "forbidden")


def test_an_inquiry_is_asked_again_and_read_as_its_type(run: Order) -> None:
    row = {"commission": "0.40", "reference_no": "R-1", "is_3d_secure": True, "raw": {"reversed": False}}
    api = Api(LOST, UNREACHABLE, (200, {"transactions": [row]}))
    (transaction,) = run(api, "ask", CHECK, CheckRequest(reference_no="R-1")).transactions
    assert (str(transaction.commission), transaction.reference_no) == ("0.40", "R-1")
    assert transaction.raw == {"reversed": False}
    assert {str(request.url) for request in api.requests} == {f"{API}/paynet/transactions?reference_no=R-1"}
    assert "Idempotency-Key" not in api.requests[0].headers


def test_a_subscriber_number_is_not_part_of_a_url(run: Order) -> None:
    api = Api((200, {"bills": []}))
    assert run(api, "ask", LIST_BILLS, BillsRequest(product_oid="p", subscriber_no1="10000000146")).bills == []
    assert "10000000146" not in str(api.requests[0].url)
    assert json.loads(api.requests[0].content)["subscriber_no1"] == "10000000146"


def test_an_operation_is_read(run: Order) -> None:
    body = {"operation_id": OPERATION, "operation": "paynet.capture", "status": "declined",
            "refusal": {"code": "1", "text": "no"}}  # fmt: skip
    read = run(Api((200, body)), "read", OPERATION)
    assert (read.status, read.refusal) == ("declined", {"code": "1", "text": "no"})


def test_the_secret_is_not_shown() -> None:
    assert "hidden" not in repr(Credentials(TOKENS, "client", "hidden"))
