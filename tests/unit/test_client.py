"""The client's promises: one key per order through all its retries, retries only where `retry` says so, no guessing.

Neither the key nor what is known of the money is lost with an error.
"""

import asyncio
import json
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from vezne.providers.paynet.inquiry_models import CheckRequest
from vezne.providers.paynet.models import CaptureRequest, CaptureResult
from vezne.providers.walletgate.inquiry_models import BillsRequest
from vezne_cli.catalogue import ROUTES
from vezne_client import (
    CAPTURE,
    CHECK,
    INQUIRIES,
    LIST_BILLS,
    ORDERS,
    AsyncClient,
    Client,
    Credentials,
    NotSent,
    OutcomeUnknown,
    Problem,
    ResultDoesNotFit,
    Succeeded,
    Unanswered,
)

API, TOKENS = "https://api.example.com/v1", "https://login.example.com/oauth2/token"
OPERATION = "op_3njcavxk5jne7f7qg6r75dqs4w"
OWN = Credentials(TOKENS, "client", "secret", ("vezne/paynet.capture",))
REQUEST = CaptureRequest(reference_no="R-1", amount="10.00")
Body = dict[str, Any] | list[Any] | bytes
Answer = tuple[int, Body] | tuple[int, Body, dict[str, str]] | Exception


def problem(slug: str, status: int, money: str, retry: str, **more: str) -> Answer:
    body = {"type": f"/v1/problems/{slug}", "title": slug, "status": status, "money": money, "retry": retry, **more}
    return status, body


def of_operation(slug: str, status: int, money: str, retry: str) -> Answer:
    """A problem that the function itself answers: it names the operation."""
    return problem(slug, status, money, retry, operation_id=OPERATION)


SUCCEEDED: Answer = (
    200,
    {"operation_id": OPERATION, "status": "succeeded", "result": {"xact_id": "x", "amount": "10.00"}},
)
UNKNOWN: Answer = (202, {"operation_id": OPERATION, "status": "unknown", "money": "unknown", "retry": "same_key"})
UNREACHABLE = problem("provider-unreachable", 503, "not_moved", "same_key")
DECLINED = of_operation("declined", 402, "not_moved", "new_key")
UNAUTHORIZED = problem("unauthorized", 401, "unknown", "same_key")
FORBIDDEN = problem("forbidden", 403, "unknown", "never")
UNAVAILABLE = problem("store-unavailable", 503, "unknown", "same_key")
LOST = httpx.ReadTimeout("no answer")
# The order may have arrived, and nothing is known of it.
LOST_ANSWERS: list[Answer] = [
    LOST,
    httpx.RemoteProtocolError("cut"),
    RuntimeError("from below"),
    (200, b"no gzip", {"Content-Encoding": "gzip"}),
    (200, b"<html>"),
    (200, b"[" * 100_000),
    (200, {}),
    (500, {}),
    (502, {"x": 1}),
    (403, {"message": "Forbidden"}),
]
NOT_CONNECTED = [httpx.ConnectError("refused"), httpx.ConnectTimeout("silence"), httpx.PoolTimeout("all in use")]


class Api:
    """Answers from a list, the last one for ever, and remembers what came and how long the client waited."""

    def __init__(self, *answers: Answer, token_answers: Sequence[Answer] = (), seconds: float = 0) -> None:
        self.answers = list(answers)
        self.token_answers = list(token_answers)
        self.requests: list[httpx.Request] = []
        self.tokens = 0
        self.waits: list[float] = []
        # The client's clock: it goes on by each wait, and by `seconds` for each request.
        self.clock = 0.0
        self.seconds = seconds

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKENS:
            self.tokens += 1
            token = {"access_token": f"token-{self.tokens}", "expires_in": 3600}
            return respond(next_of(self.token_answers) if self.token_answers else (200, token))
        self.requests.append(request)
        self.clock += self.seconds
        return respond(next_of(self.answers))

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock += seconds

    @property
    def answer_timeouts(self) -> list[float]:
        return [request.extensions["timeout"]["read"] for request in self.requests]

    @property
    def keys(self) -> set[str]:
        return {request.headers["Idempotency-Key"] for request in self.requests}


def next_of(answers: list[Answer]) -> Answer:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def respond(answer: Answer) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    status, body, *headers = answer
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers=httpx.Headers(headers[0] if headers else {}, "latin-1"))


Order = Callable[..., Any]


@pytest.fixture(params=["blocking", "asynchronous"])
def run(request: pytest.FixtureRequest) -> Order:
    """Carry out one call of either client."""

    def blocking(api: Api, method: str, *arguments: Any, **options: Any) -> Any:
        with Client(API, OWN, httpx.MockTransport(api)) as client:
            client._now, client._sleep = lambda: api.clock, api.wait  # type: ignore[method-assign,assignment]
            made = getattr(client, method)(*arguments, **options)
            return list(made) if isinstance(made, Iterator) else made

    async def asynchronous(api: Api, method: str, *arguments: Any, **options: Any) -> Any:
        async def sleep(seconds: float) -> None:
            api.wait(seconds)

        async with AsyncClient(API, OWN, httpx.MockTransport(api)) as client:
            client._now, client._sleep = lambda: api.clock, sleep  # type: ignore[method-assign,assignment]
            made = getattr(client, method)(*arguments, **options)
            return [one async for one in made] if isinstance(made, AsyncIterator) else await made

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


@pytest.mark.parametrize("first", [*LOST_ANSWERS, *NOT_CONNECTED, UNKNOWN, UNREACHABLE, UNAVAILABLE])
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


@pytest.mark.parametrize("end", [DECLINED, of_operation("not-executed", 402, "not_moved", "new_key")])
@pytest.mark.parametrize("before", [UNKNOWN, LOST])
def test_an_unknown_outcome_that_turns_out_not_to_have_moved_money(run: Order, before: Answer, end: Answer) -> None:
    with pytest.raises(Problem) as raised:
        run(Api(before, end), "order", CAPTURE, REQUEST, key="invoice-1")
    assert (raised.value.money, raised.value.key) == ("not_moved", "invoice-1")


# Each names the operation and asks for a new key, but speaks of this request or of another order: not of the record.
@pytest.mark.parametrize(
    "refusal",
    [
        of_operation("idempotency-key-reused", 422, "not_moved", "new_key"),
        of_operation("idempotency-key-reused", 422, "unknown", "new_key"),
        of_operation("total-would-fall", 422, "not_moved", "new_key"),
        of_operation("held-by-another-operation", 409, "not_moved", "never"),
        of_operation("invalid-request", 400, "not_moved", "never"),
        # A final problem that does not name the operation is not this API's.
        problem("declined", 402, "not_moved", "new_key"),
        # The status alone proves nothing either.
        of_operation("anything", 402, "not_moved", "new_key"),
    ],
)
@pytest.mark.parametrize("before", [UNKNOWN, LOST])
def test_a_refusal_of_a_later_attempt_does_not_clear_an_earlier_one(
    run: Order, before: Answer, refusal: Answer
) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        run(Api(before, refusal), "order", CAPTURE, REQUEST, key="invoice-1")
    assert raised.value.key == "invoice-1"
    # What was refused last is told, too.
    assert isinstance(raised.value.__cause__, Problem)


@pytest.mark.parametrize("last", [UNKNOWN, UNAVAILABLE, *LOST_ANSWERS, problem("anything", 400, "moved", "never")])
def test_at_the_end_an_unknown_outcome_is_said_to_be_unknown(run: Order, last: Answer) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        run(Api(last), "order", CAPTURE, REQUEST, key="invoice-1", wait_seconds=0)
    assert raised.value.key == "invoice-1"
    assert raised.value.operation_id == (OPERATION if last is UNKNOWN else None)
    assert "invoice-1" in str(raised.value)


@pytest.mark.parametrize(
    "later",
    [
        UNREACHABLE,
        UNAUTHORIZED,
        FORBIDDEN,
        problem("anything", 422, "not_moved", "new_key"),
        of_operation("anything", 409, "not_moved", "never"),
        *NOT_CONNECTED,
        httpx.LocalProtocolError("no HTTP"),
    ],
)
def test_what_befalls_a_later_attempt_does_not_make_an_unknown_outcome_known(run: Order, later: Answer) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        run(Api(LOST, later), "order", CAPTURE, REQUEST, wait_seconds=0.6)
    assert raised.value.key in str(raised.value)


@pytest.mark.parametrize(
    "no_token",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("no answer"),
        httpx.LocalProtocolError("no HTTP"),
        (200, b"no gzip", {"Content-Encoding": "gzip"}),
        (503, {}),
        (401, {"error": "invalid_client"}),
        (200, b"<html>"),
        (200, ["access_token"]),
        (200, {}),
        (200, {"access_token": None}),
        (200, {"access_token": "line\nbreak"}),
        (200, {"access_token": "token", "expires_in": "soon"}),
    ],
)
def test_without_a_token_nothing_was_sent_but_what_was_before_it_stays_unknown(run: Order, no_token: Answer) -> None:
    with pytest.raises(NotSent) as raised:
        run(Api(SUCCEEDED, token_answers=[no_token]), "order", CAPTURE, REQUEST, key="invoice-1", wait_seconds=5)
    assert raised.value.key == "invoice-1"
    assert str(raised.value).startswith("not sent: no token, ")
    short_lived: Answer = (200, {"access_token": "token", "expires_in": 1})
    lost = Api(LOST, SUCCEEDED, token_answers=[short_lived, no_token])
    with pytest.raises(OutcomeUnknown) as unknown:
        run(lost, "order", CAPTURE, REQUEST, key="invoice-1", wait_seconds=5)
    assert (unknown.value.key, len(lost.requests)) == ("invoice-1", 1)


@pytest.mark.parametrize(
    ("refused", "tries"),
    [((429, {}), 3), ((503, {}), 3), (httpx.ConnectError("refused"), 3), ((401, {"error": "invalid_client"}), 1)],
)
def test_a_token_is_asked_for_again_where_that_may_help(run: Order, refused: Answer, tries: int) -> None:
    token: Answer = (200, {"access_token": "token", "expires_in": 3600})
    api = Api(SUCCEEDED, token_answers=[refused, refused, token])
    if tries == 3:
        run(api, "order", CAPTURE, REQUEST)
    else:
        with pytest.raises(NotSent):
            run(api, "order", CAPTURE, REQUEST)
    assert api.tokens == tries


def test_a_token_without_a_lifetime_is_used_until_it_is_refused(run: Order) -> None:
    token: Answer = (200, {"access_token": "token"})
    api = Api(UNREACHABLE, UNREACHABLE, UNAUTHORIZED, SUCCEEDED, token_answers=[token])
    run(api, "order", CAPTURE, REQUEST)
    assert (api.tokens, len(api.requests)) == (2, 4)


@pytest.mark.parametrize("refused", NOT_CONNECTED)
def test_an_order_that_found_no_connection_was_not_sent(run: Order, refused: Answer) -> None:
    api = Api(refused)
    with pytest.raises(NotSent) as raised:
        run(api, "order", CAPTURE, REQUEST, key="invoice-1", wait_seconds=1)
    assert raised.value.key == "invoice-1"
    assert len(api.requests) == 3


def test_what_cannot_be_written_as_http_is_not_tried_again(run: Order) -> None:
    api = Api(httpx.LocalProtocolError("no HTTP"))
    with pytest.raises(NotSent):
        run(api, "order", CAPTURE, REQUEST)
    assert len(api.requests) == 1


def test_a_request_that_can_no_longer_be_made_leaves_an_unknown_outcome_unknown(run: Order) -> None:
    # Not a text that a header can carry back.
    api = Api((502, {}, {"Set-Cookie": "ödeme=1"}), SUCCEEDED)
    with pytest.raises(OutcomeUnknown):
        run(api, "order", CAPTURE, REQUEST)
    assert len(api.requests) == 1


@pytest.mark.parametrize("addresses", [("https://[", TOKENS), (API, "https://["), ("api.example.com", TOKENS)])
def test_an_address_that_is_none_is_an_order_not_sent(addresses: tuple[str, str]) -> None:
    api_url, token_url = addresses
    own = Credentials(token_url, "client", "secret")
    with Client(api_url, own, httpx.MockTransport(Api(httpx.UnsupportedProtocol("none")))) as client:
        with pytest.raises(NotSent) as raised:
            client.order(CAPTURE, REQUEST, key="invoice-1")
        assert raised.value.key == "invoice-1"


@pytest.mark.parametrize("key", ["", "ödeme-1", "invoice 1", "invoice\n1", "invoice-1\n", "x" * 256])
def test_a_key_that_the_api_would_refuse_is_not_sent_nor_shown(run: Order, key: str) -> None:
    api = Api(SUCCEEDED)
    with pytest.raises(ValueError, match="1 to 255 visible ASCII characters") as raised:
        run(api, "order", CAPTURE, REQUEST, key=key)
    assert not key or key not in str(raised.value)
    assert (api.requests, api.tokens) == ([], 0)


@pytest.mark.parametrize(
    "unfit",
    [
        {"operation_id": OPERATION, "result": {"amount": "thirteen"}},
        {"operation_id": OPERATION, "result": ["10.00"]},
        {"operation_id": OPERATION},
        {"result": {}},
    ],
)
def test_a_result_that_cannot_be_read_is_still_a_success(run: Order, unfit: dict[str, Any]) -> None:
    body = {"status": "succeeded", **unfit}
    with pytest.raises(ResultDoesNotFit, match="the order succeeded") as raised:
        run(Api((200, body)), "order", CAPTURE, REQUEST, key="invoice-1")
    assert (raised.value.key, raised.value.operation_id) == ("invoice-1", unfit.get("operation_id"))
    assert raised.value.body == body
    assert "thirteen" not in "".join(traceback.format_exception(raised.value))


INVALID = problem("invalid-request", 400, "not_moved", "never")


@pytest.mark.parametrize("last", [INVALID, UNREACHABLE, DECLINED])
def test_a_problem_carries_the_key(run: Order, last: Answer) -> None:
    with pytest.raises(Problem) as raised:
        run(Api(last), "order", CAPTURE, REQUEST, wait_seconds=0)
    assert raised.value.key
    assert raised.value.key in str(raised.value)
    assert raised.value.money == "not_moved"


def test_a_time_to_wait_that_grows_is_kept_to_however_long_it_is(run: Order) -> None:
    status, body = UNKNOWN  # type: ignore[misc]
    told = ["5", "10", "20", "40", "80"]
    api = Api(*[(status, body, {"Retry-After": seconds}) for seconds in told], SUCCEEDED)
    run(api, "order", CAPTURE, REQUEST, wait_seconds=600)
    assert api.waits == [5, 10, 20, 40, 80]


@pytest.mark.parametrize("told", ["", "soon", "0", "²", "-1"])
def test_without_a_time_to_wait_it_waits_longer_each_time(run: Order, told: str) -> None:
    status, body = UNKNOWN  # type: ignore[misc]
    again: Answer = (status, body, {"Retry-After": told})
    api = Api(*[again] * 9, SUCCEEDED)
    run(api, "order", CAPTURE, REQUEST, wait_seconds=600)
    assert api.waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_it_waits_what_is_left_and_then_tries_a_last_time(run: Order) -> None:
    status, body = UNKNOWN  # type: ignore[misc]
    api = Api((status, body, {"Retry-After": "5"}), SUCCEEDED)
    run(api, "order", CAPTURE, REQUEST, wait_seconds=4.75)
    assert api.waits == [4.75]
    late = Api((status, body, {"Retry-After": "5"}))
    with pytest.raises(OutcomeUnknown):
        run(late, "order", CAPTURE, REQUEST, wait_seconds=4.75)
    assert (len(late.requests), late.clock) == (2, 4.75)


def test_an_answer_is_waited_for_while_time_is_left(run: Order) -> None:
    api = Api(LOST, seconds=20)
    with pytest.raises(OutcomeUnknown):
        run(api, "order", CAPTURE, REQUEST, wait_seconds=60)
    # At most a little longer than the gateway waits, and never too short for the order to be performed.
    assert api.answer_timeouts == [35, 35, 18.5]
    assert {request.extensions["timeout"]["connect"] for request in api.requests} == {5}
    at_once = Api(LOST)
    with pytest.raises(OutcomeUnknown):
        run(at_once, "order", CAPTURE, REQUEST, wait_seconds=0)
    assert at_once.answer_timeouts == [10]


def test_a_question_may_be_given_up_sooner(run: Order) -> None:
    api = Api(LOST)
    with pytest.raises(Unanswered):
        run(api, "ask", CHECK, CheckRequest(reference_no="R-1"), wait_seconds=0)
    assert api.answer_timeouts == [2]


def test_a_replay_is_told(run: Order) -> None:
    status, body = SUCCEEDED  # type: ignore[misc]
    assert run(Api((status, body, {"Idempotent-Replayed": "true"})), "order", CAPTURE, REQUEST).replayed


def test_what_an_operator_decided_has_no_result(run: Order) -> None:
    by_hand: Answer = (200, {"operation_id": OPERATION, "status": "succeeded", "result": {}})
    assert run(Api(by_hand), "order", CAPTURE, REQUEST).result is None


# By its status: a proxy's 401 is met alike.
@pytest.mark.parametrize("refusal", [UNAUTHORIZED, (401, {})])
def test_a_refused_token_is_renewed_once_under_the_same_key(run: Order, refusal: Answer) -> None:
    api = Api(refusal, SUCCEEDED)
    run(api, "order", CAPTURE, REQUEST)
    assert [request.headers["Authorization"] for request in api.requests] == ["Bearer token-1", "Bearer token-2"]
    assert len(api.keys) == 1
    refused = Api(refusal)
    with pytest.raises((Problem, OutcomeUnknown)):
        run(refused, "order", CAPTURE, REQUEST)
    assert len(refused.requests) == 2


def test_a_token_may_be_refused_more_than_once_in_the_life_of_an_order(run: Order) -> None:
    api = Api(UNAUTHORIZED, UNKNOWN, UNAUTHORIZED, SUCCEEDED)
    run(api, "order", CAPTURE, REQUEST)
    assert api.tokens == 3


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


@pytest.mark.parametrize("unusable", [*LOST_ANSWERS[:2], NOT_CONNECTED[0], (200, b"<html>"), (403, {"message": "no"})])
def test_a_question_without_an_answer_says_so(run: Order, unusable: Answer) -> None:
    for method, *arguments in (("ask", CHECK, CheckRequest(reference_no="R-1")), ("read", OPERATION)):
        with pytest.raises(Unanswered, match=r"no answer: [A-Z]"):
            run(Api(unusable), method, *arguments, wait_seconds=1)
        with pytest.raises(Unanswered, match="no answer: no token, HTTP 503"):
            run(Api(SUCCEEDED, token_answers=[(503, {})]), method, *arguments, wait_seconds=1)


def test_an_answer_to_a_question_that_is_not_as_documented(run: Order) -> None:
    for method, *arguments in (("ask", CHECK, CheckRequest(reference_no="R-1")), ("read", OPERATION)):
        with pytest.raises(ResultDoesNotFit) as raised:
            run(Api((200, {"transactions": 1})), method, *arguments)
        assert (raised.value.key, raised.value.body) == (None, {"transactions": 1})


def operation(status: str, **more: Any) -> Answer:
    times = {"created_at": "2026-11-22T00:35:06.324Z", "updated_at": "2026-11-22T00:35:07.363Z"}
    return 200, {"operation_id": OPERATION, "operation": "paynet.capture", "status": status, **times, **more}


def test_an_operation_is_read_as_its_type(run: Order) -> None:
    read = run(Api(operation("succeeded", result={"xact_id": "x", "amount": "10.00"})), "read", OPERATION)
    assert (read.operation_id, read.operation, read.status) == (OPERATION, "paynet.capture", "succeeded")
    assert read.result == CaptureResult(xact_id="x", amount="10.00")
    assert read.public()["result"] == read.result.public()
    assert read.updated_at - read.created_at == timedelta(seconds=1.039)
    declined = run(Api(operation("declined", refusal={"code": "1", "text": "no"})), "read", OPERATION)
    assert (declined.status, declined.result) == ("declined", None)
    assert (declined.refusal.code, declined.refusal.text) == ("1", "no")
    by_hand = run(Api(operation("succeeded", result={})), "read", OPERATION)
    assert (by_hand.status, by_hand.result) == ("succeeded", None)


@pytest.mark.parametrize("unfit", [operation("done"), operation("succeeded", result={"amount": "thirteen"})])
def test_an_operation_that_is_not_as_documented(run: Order, unfit: Answer) -> None:
    with pytest.raises(ResultDoesNotFit):
        run(Api(unfit), "read", OPERATION)


def test_a_dry_run_is_of_a_type_of_its_own(run: Order) -> None:
    shown = {"method": "POST", "host": "h", "path": "/p", "headers": {}, "body": {}}
    api = Api((200, {"status": "would_send", "operation": "paynet.capture", "money": "not_moved", "request": shown}))
    told = run(api, "dry_run", CAPTURE, REQUEST)
    assert (told.status, told.money, told.request) == ("would_send", "not_moved", shown)
    (request,) = api.requests
    assert request.headers["Vezne-Dry-Run"] == "true"
    # An earlier version would take it for an order, if it had a key.
    assert "Idempotency-Key" not in request.headers
    with pytest.raises(ResultDoesNotFit):
        run(Api(SUCCEEDED), "dry_run", CAPTURE, REQUEST, key="k")
    # Nor is it taken for the answer to an order.
    with pytest.raises(OutcomeUnknown):
        run(Api((200, {"status": "would_send", "operation": "paynet.capture", "request": shown})), "order", CAPTURE,
            REQUEST, wait_seconds=0)  # fmt: skip


def test_operations_are_listed_page_by_page(run: Order) -> None:
    found = [operation("succeeded", operation_id=f"op_{number}", result={})[1] for number in range(3)]
    api = Api((200, {"operations": found[:2], "next_cursor": "c=1"}), (200, {"operations": found[2:]}))
    since = datetime(2026, 11, 26, tzinfo=timezone(timedelta(hours=3)))
    listed = run(api, "operations", status="succeeded", since=since, reference="R 1")
    assert [one.operation_id for one in listed] == ["op_0", "op_1", "op_2"]
    asked = {"status": "succeeded", "from": "2026-11-25T21:00:00+00:00", "reference": "R 1"}
    assert [dict(request.url.params) for request in api.requests] == [asked, {**asked, "cursor": "c=1"}]


def test_a_list_that_is_not_as_documented(run: Order) -> None:
    with pytest.raises(ResultDoesNotFit):
        run(Api((200, {"operations": [{"operation": "none.such"}]})), "operations")
    with pytest.raises(ValueError, match="since must have a zone"):
        run(Api(SUCCEEDED), "operations", since=datetime(2026, 11, 26))  # noqa: DTZ001


def test_an_operation_id_cannot_become_another_path(run: Order) -> None:
    api = Api(operation("unknown"))
    run(api, "read", "../paynet/transactions?reference_no=R-1")
    assert api.requests[0].url.raw_path == b"/v1/operations/..%2Fpaynet%2Ftransactions%3Freference_no%3DR-1"


def test_every_route_is_a_call_of_the_client() -> None:
    deployed = {name: route for name, route in ROUTES.items() if route.request}
    assert deployed.keys() == ORDERS.keys() | INQUIRIES.keys()
    for name, route in deployed.items():
        call = ORDERS.get(name) or INQUIRIES[name]
        assert (call.path, call.request, call.result) == (route.path, route.request, route.result)
        assert route.is_order == (name in ORDERS)
        assert getattr(call, "in_body", True) == route.in_body


def test_the_secret_is_not_shown() -> None:
    assert "hidden" not in repr(Credentials(TOKENS, "client", "hidden"))


def test_the_key_is_all_that_is_shown_of_an_order_not_sent() -> None:
    assert str(NotSent("no token, HTTP 503", "invoice-1")) == "not sent: no token, HTTP 503 (Idempotency-Key invoice-1)"


def test_orders_at_the_same_time_share_a_token_and_its_renewal() -> None:
    api = Api(SUCCEEDED)

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.001)
        came = api(request)
        return respond(UNAUTHORIZED) if request.headers["Authorization"] == "Bearer token-1" else came

    async def orders() -> None:
        async with AsyncClient(API, OWN, httpx.MockTransport(answer)) as client:
            await asyncio.gather(*(client.order(CAPTURE, REQUEST) for _ in range(20)))

    asyncio.run(orders())
    assert (api.tokens, len(api.keys)) == (2, 20)


def test_a_late_refusal_of_an_old_token_does_not_cost_the_new_one() -> None:
    api = Api(SUCCEEDED)

    async def answer(request: httpx.Request) -> httpx.Response:
        came = api(request)
        refused = request.headers["Authorization"] == "Bearer token-1"
        await asyncio.sleep(0.05 if refused and request.headers["Idempotency-Key"] == "late" else 0)
        return respond(UNAUTHORIZED) if refused else came

    async def orders() -> None:
        async with AsyncClient(API, OWN, httpx.MockTransport(answer)) as client:
            await asyncio.gather(*(client.order(CAPTURE, REQUEST, key=key) for key in ("early", "late")))

    asyncio.run(orders())
    assert (api.tokens, len(api.requests)) == (2, 4)


def test_threads_share_a_token() -> None:
    api = Api(SUCCEEDED)

    def answer(request: httpx.Request) -> httpx.Response:
        time.sleep(0.01)
        return api(request)

    with Client(API, OWN, httpx.MockTransport(answer)) as client:
        threads = [threading.Thread(target=client.order, args=(CAPTURE, REQUEST)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (api.tokens, len(api.keys)) == (1, 8)


def test_who_waits_for_anothers_token_does_not_wait_beyond_the_deadline() -> None:
    entered = threading.Event()

    def without_a_token(client: Client, match: str | None = None) -> None:
        with pytest.raises(NotSent, match=match):
            client.order(CAPTURE, REQUEST, wait_seconds=0)

    def no_answer(request: httpx.Request) -> httpx.Response:
        entered.set()
        time.sleep(0.5)
        raise httpx.ReadTimeout("no answer")

    with Client(API, OWN, httpx.MockTransport(no_answer)) as client:
        client._seconds = lambda send: 0.01  # type: ignore[method-assign]
        first = threading.Thread(target=without_a_token, args=(client,))
        first.start()
        entered.wait()
        without_a_token(client, match="no token in time")
        first.join()
