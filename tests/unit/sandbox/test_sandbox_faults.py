"""Each fault over a real socket: what the caller gets, and what was booked before."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
from vezne_sandbox.sandbox import Sandbox

from tests.support.operations import of
from tests.unit.sandbox.orders import PAYNET_ORDER, SENT, VAKIFBANK_ORDER, WALLETGATE_ORDER, raw_capture

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

CALLS = Sandbox().operations
ORDERS = {name: of(name).wire.send for name, call in CALLS.items() if call.kind == "pay"}
# Look-up -> an order that it shows, and how the look-up is sent.
LOOK_UPS = {CALLS[order].look_up: (order, SENT[CALLS[order].look_up].send) for order in reversed(ORDERS)}
every_order = pytest.mark.parametrize("operation", ORDERS)
# An invoice tells what is left of it, and no payment.
LISTS = [look_up for look_up in LOOK_UPS if look_up != "kolaybi.show_invoice"]
every_look_up = pytest.mark.parametrize("look_up", LOOK_UPS)
booked_or_not = pytest.mark.parametrize("book", [True, False])


def read_to_the_end(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


@booked_or_not
def test_hang(merchant, sandbox, book):
    for operation in ORDERS:
        sandbox.rule(operation, "hang", book=book)
    merchant.http.timeout = 1.5
    with ThreadPoolExecutor(len(ORDERS)) as pool:
        silences = [pool.submit(send, merchant) for send in ORDERS.values()]
    assert [type(silence.exception()) for silence in silences] == [httpx.ReadTimeout] * len(ORDERS)
    assert {b["operation"] for b in sandbox.bookings()} == (set(ORDERS) if book else set())


@every_order
@booked_or_not
def test_reset(merchant, sandbox, operation, book):
    sandbox.rule(operation, "reset", book=book)
    with pytest.raises(httpx.ReadError, match="reset"):
        ORDERS[operation](merchant)
    assert len(sandbox.bookings()) == book


def test_reset_is_a_tcp_reset(sandbox):
    sandbox.rule("paynet.capture", "reset")
    with raw_capture(sandbox.url) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert len(sandbox.bookings()) == 1


@every_order
@booked_or_not
@pytest.mark.parametrize(
    ("then", "status", "content_type"),
    [("status_500", 500, "application/json; charset=utf-8"), ("bad_gateway_html", 502, "text/html; charset=utf-8")],
)
def test_server_errors(merchant, sandbox, operation, book, then, status, content_type):
    sandbox.rule(operation, then, book=book)
    answer = ORDERS[operation](merchant)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, content_type)
    assert len(sandbox.bookings()) == book


@every_order
@booked_or_not
def test_cut(merchant, sandbox, operation, book):
    sandbox.rule(operation, "cut", book=book)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        ORDERS[operation](merchant)
    assert len(sandbox.bookings()) == book


def test_cut_is_200_with_half_its_body(sandbox):
    sandbox.rule("paynet.capture", "cut")
    with raw_capture(sandbox.url) as connection:
        answer = read_to_the_end(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert len(body_of(answer)) == length_of(answer) // 2 > 0


@every_order
@booked_or_not
def test_trailing_comma(merchant, sandbox, operation, book):
    sandbox.rule(operation, "trailing_comma", book=book)
    answer = ORDERS[operation](merchant)
    assert answer.status_code == 200
    assert answer.text.endswith(",}")
    json.loads(answer.text[:-2] + "}")
    assert len(sandbox.bookings()) == book


@every_order
def test_an_answer_without_a_booking(merchant, sandbox, operation):
    honest = ORDERS[operation](merchant)
    sandbox.reset()
    sandbox.rule(operation, book=False)
    faulty = ORDERS[operation](merchant)
    assert faulty.status_code == 200
    assert faulty.json().keys() == honest.json().keys()
    assert sandbox.bookings() == []


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def length_of(answer: bytes) -> int:
    """Read Content-Length, or 0 as long as the head is not complete."""
    found = re.search(rb"content-length: (\d+)\r\n", answer, re.IGNORECASE)
    return int(found.group(1)) if found else 0


def read_until(connection: socket.socket, enough: Callable[[bytes], bool]) -> bytes:
    received = b""
    while not enough(received):
        chunk = connection.recv(65536)
        assert chunk, "the connection must stay open"
        received += chunk
    return received


def test_slow_drops_never_send_the_last_byte(sandbox):
    sandbox.rule("paynet.capture", "slow_drops", every_seconds=0.001)
    with raw_capture(sandbox.url) as connection:
        received = read_until(connection, lambda received: len(body_of(received)) == length_of(received) - 1)
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert json.loads(body_of(received) + b"}")["is_succeed"] is True
    assert len(sandbox.bookings()) == 1


def test_slow_drops_of_the_head(sandbox):
    sandbox.rule("paynet.capture", "slow_drops", drip="headers", every_seconds=0.2)
    with raw_capture(sandbox.url) as connection:
        received = connection.recv(65536)
        received += connection.recv(65536)
    assert b"HTTP/1.1 200 ".startswith(received[:13])
    assert b"\r\n\r\n" not in received
    assert len(sandbox.bookings()) == 1


@pytest.mark.parametrize("status", [100, 103])
def test_informational_comes_before_the_answer(sandbox, status):
    sandbox.rule("paynet.capture", "informational", status=status, every_seconds=0.1)
    with raw_capture(sandbox.url) as connection:
        first = connection.recv(65536)
        assert first.startswith(f"HTTP/1.1 {status} ".encode())
        assert body_of(first) == b""
        answer = read_until(connection, lambda received: 0 < length_of(received) == len(body_of(received)))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert json.loads(body_of(answer))["is_succeed"] is True
    assert len(sandbox.bookings()) == 1


def test_informational_only_is_followed_by_silence(sandbox):
    sandbox.rule("paynet.capture", "informational_only")
    with raw_capture(sandbox.url) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 103 ")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert len(sandbox.bookings()) == 1


@pytest.mark.parametrize("operation", [name for name in ORDERS if of(name).wire.amount_in])
def test_other_amount(merchant, sandbox, operation):
    amount_of = of(operation).wire.amount_in
    honest = amount_of(ORDERS[operation](merchant).json())
    sandbox.reset()
    sandbox.rule(operation, "other_amount")
    faulty = amount_of(ORDERS[operation](merchant).json())
    assert faulty == pytest.approx(honest + 0.01)
    assert float(sandbox.booked()) == honest
    sandbox.reset()
    sandbox.rule(operation, "other_amount", amount="0", book=False)
    assert amount_of(ORDERS[operation](merchant).json()) == 0


@pytest.mark.parametrize("operation", [name for name in ORDERS if of(name).wire.reference_in])
def test_other_reference(merchant, sandbox, operation):
    sent = of(operation).wire
    sandbox.rule(operation, "other_reference")
    assert sent.reference_in(sent.send(merchant).json()) != sent.reference
    assert [b["reference"] for b in sandbox.bookings()] == [sent.reference]


def test_each_order_names_the_fields_that_a_fault_can_change():
    """Paynet's other reference has a test of its own."""
    for name in ORDERS:
        assert bool(of(name).wire.amount_in) == ("other_amount" in CALLS[name].faults)
        assert bool(of(name).wire.reference_in) <= ("other_reference" in CALLS[name].faults)


def test_other_reference_of_paynet_is_no_row_of_check(merchant, sandbox):
    sandbox.rule("paynet.capture", "other_reference")
    told = merchant.capture().json()["xact_id"]
    assert told not in {row["xact_id"] for row in merchant.check().json()["Data"]}


@every_order
def test_unauthorized_once(merchant, sandbox, operation):
    sandbox.rule(operation, "unauthorized")
    refused = ORDERS[operation](merchant)
    assert sandbox.bookings() == []
    if operation.startswith("haso."):
        assert refused.json()["Success"] is False
    else:
        assert refused.status_code == 401
    assert ORDERS[operation](merchant).status_code == 200
    assert len(sandbox.bookings()) == 1


@every_order
def test_too_many_requests(merchant, sandbox, operation):
    sandbox.rule(operation, "too_many_requests", retry_after=7)
    answer = ORDERS[operation](merchant)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert isinstance(answer.json(), dict)
    assert sandbox.bookings() == []


@pytest.mark.parametrize(
    ("operation", "code", "status", "sign"),
    [
        ("kolaybi.collect", None, 422, lambda answer: answer["success"] is False),
        ("kolaybi.collect", "404", 404, lambda answer: answer["success"] is False),
        ("vakifbank.pay", None, 200, lambda answer: answer["Data"]["QueryResult"]["Result"] is False),
        ("vakifbank.pay", "7", 200, lambda answer: answer["Data"]["QueryResult"]["ErrorCode"] == 7),
        ("vakifbank.pay", "ACBH000233", 400, lambda answer: answer["Header"]["StatusCode"] == "ACBH000233"),
        ("vakifbank.pay", "ACBG000008", 500, lambda answer: answer["Header"]["StatusCode"] == "ACBG000008"),
        ("walletgate.pay_bill", None, 200, lambda answer: (answer["status"], answer["code"]) == (1, "311")),
        ("walletgate.pay_bill", "300", 200, lambda answer: answer["code"] == "300"),
        ("haso.set_expenses", None, 200, lambda answer: not answer["Success"] and len(answer["Errors"]) == 1),
        ("haso.set_expenses", "H307", 200, lambda answer: answer["Errors"] == ["H307"]),
        ("paynet.capture", None, 200, lambda answer: not answer["is_succeed"] and answer["bank_error_id"] == "51"),
        ("paynet.capture", "18", 400, lambda answer: answer["result_code"] == 18),
        ("paynet.capture", "10", 500, lambda answer: answer["result_code"] == 10),
    ],
)
def test_refuse(merchant, sandbox, operation, code, status, sign):
    sandbox.rule(operation, "refuse", **({"code": code} if code else {}))
    answer = ORDERS[operation](merchant)
    assert answer.status_code == status
    assert sign(answer.json())
    assert sandbox.bookings() == []


@every_order
def test_book_late(merchant, sandbox, operation):
    sandbox.rule(operation, "bad_gateway_html", book={"after_seconds": 30})
    ORDERS[operation](merchant)
    sandbox.advance_clock(29)
    assert sandbox.bookings() == []
    assert sandbox.state()["late_bookings"] == 1
    sandbox.advance_clock(1.5)
    assert len(sandbox.bookings()) == 1
    assert sandbox.state()["late_bookings"] == 0


@every_order
def test_a_resend_before_the_late_booking_follows_the_providers_rule(merchant, sandbox, operation):
    sandbox.rule(operation, "status_500", book={"after_seconds": 30})
    ORDERS[operation](merchant)
    assert ORDERS[operation](merchant).status_code == 200
    sandbox.advance_clock(31)
    assert len(sandbox.bookings()) == (1 if CALLS[operation].paid_once else 2)


def rows_of(answer):
    body = answer.json()
    if "QueryResult" in body or isinstance(body.get("Data"), dict):
        return next(rows for rows in body["Data"].values() if isinstance(rows, list))
    if isinstance(body.get("Data"), list):
        return [row for row in body["Data"] if row.get("transaction_type", 4) == 4]
    return body["data"] if "data" in body else body["payload"]["items"]


@every_look_up
def test_a_look_up_fails_once(merchant, sandbox, look_up):
    sandbox.rule(look_up, "fail")
    assert [LOOK_UPS[look_up][1](merchant).status_code for _ in range(2)] == [500, 200]


@every_look_up
def test_a_look_up_lags(merchant, sandbox, look_up):
    order, ask = LOOK_UPS[look_up]
    before = rows_of(ask(merchant))
    ORDERS[order](merchant)
    sandbox.rule(look_up, "lag", seconds=60, times=2)
    assert rows_of(ask(merchant)) == before
    sandbox.advance_clock(61)
    assert rows_of(ask(merchant)) != before


@pytest.mark.parametrize("look_up", LISTS)
def test_a_look_up_lists_a_foreign_payment_of_the_same_amount(merchant, sandbox, look_up):
    order, ask = LOOK_UPS[look_up]
    sandbox.rule(order, "status_500", book=False)
    ORDERS[order](merchant)
    sandbox.rule(look_up, "foreign")
    rows = rows_of(ask(merchant))
    first = rows[0]
    shown = [first[name] for name in ("amount", "Amount", "tx_base_amount", "totalExpenseAmount") if name in first]
    assert shown == [of(order).wire.amount]
    references = [
        *(VAKIFBANK_ORDER["InstitutionTransactionCode"], WALLETGATE_ORDER["inv_payment_transaction_query_oid"]),
        *(PAYNET_ORDER["xact_id"], "Tahsilat açıklaması"),
    ]
    assert not set(references) & {str(value) for value in first.values()}
    if look_up == "haso.payment_plan":
        assert rows[-1]["totalExpenseAmount"] == 0
    else:
        assert len(rows) == 1
    assert sandbox.bookings() == []


def test_a_login_can_have_a_fault(merchant, sandbox):
    for operation, login in (
        ("vakifbank.login", merchant.vakifbank_login),
        ("walletgate.login", merchant.walletgate_login),
    ):
        sandbox.rule(operation, "status_500")
        assert [login().status_code for _ in range(2)] == [500, 200]


def test_of_many_equal_orders_at_once_one_is_booked(merchant, sandbox):
    headers = merchant.vakifbank_headers()

    def pay(_: int) -> bool:
        answer = merchant.http.post("/tos/payment", json=VAKIFBANK_ORDER, headers=headers)
        return bool(answer.json()["Data"]["QueryResult"]["Result"])

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(pay, range(48))) == 1
    assert len(sandbox.bookings()) == 1


# ------------------------------------------------------------------------- odd rows, and a page at the login

ODD_LOOK_UPS = [name for name in LOOK_UPS if SENT[name].row]
every_odd_look_up = pytest.mark.parametrize("look_up", ODD_LOOK_UPS)


def rows_in_form(merchant, sandbox, look_up, then, form=None):
    """The one row as on the page, and in the form; the booking does not change."""
    order, ask = LOOK_UPS[look_up]
    ORDERS[order](merchant)
    rows = SENT[look_up].rows
    [genuine] = rows(ask(merchant).json())
    sandbox.rule(look_up, then, **({"form": form} if form else {}))
    [odd] = rows(ask(merchant).json())
    assert len(sandbox.bookings()) == 1
    assert rows(ask(merchant).json()) == [genuine]
    return genuine, odd


@every_odd_look_up
@pytest.mark.parametrize(
    "form", ["other_case", "padded", "without_hyphens", "empty", "null", "missing", "other_name", None]
)
def test_an_unnamed_row(merchant, sandbox, look_up, form):
    reference, _, _ = SENT[look_up].row
    genuine, odd = rows_in_form(merchant, sandbox, look_up, "unnamed_row", form)
    assert odd.get(reference) != genuine[reference]
    assert (reference in odd) == (form not in ("missing", "other_name", None))
    assert (genuine[reference] in odd.values()) == (form == "other_name")
    others = {name: value for name, value in odd.items() if name in genuine and name != reference}
    assert others == {name: value for name, value in genuine.items() if name != reference}


@every_odd_look_up
@pytest.mark.parametrize("form", ["no_sign", "cancelled", "pending", "other_currency", "negative"])
def test_an_odd_row(merchant, sandbox, look_up, form):
    reference, amount, currency = SENT[look_up].row
    genuine, odd = rows_in_form(merchant, sandbox, look_up, "odd_row", form)
    assert odd != genuine
    assert odd[reference] == genuine[reference]
    assert (odd[amount] < 0) == (form == "negative")
    assert (odd[currency] == "USD") == (form == "other_currency")


@pytest.mark.parametrize("look_up", [name for name in LOOK_UPS if "unfiltered" in CALLS[name].faults])
def test_an_unfiltered_look_up_lists_every_payment(merchant, sandbox, look_up):
    order, ask = LOOK_UPS[look_up]
    ORDERS[order](merchant)
    rows = SENT[look_up].rows
    name = SENT[look_up].filter
    assert rows(ask(merchant, **{name: "nobody's"}).json()) == []
    sandbox.rule(look_up, "unfiltered")
    assert len(rows(ask(merchant, **{name: "nobody's"}).json())) == 1


@pytest.mark.parametrize(("fields", "status"), [({}, 403), ({"status": 400}, 400), ({"status": 401}, 401)])
def test_a_page_of_html_at_the_login(merchant, sandbox, fields, status):
    sandbox.rule("vakifbank.login", "html", **fields)
    answer = merchant.vakifbank_login()
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert answer.content.startswith(b"<html>")
    assert merchant.vakifbank_login().status_code == 200


@pytest.mark.parametrize("rule", [{"then": "lag", "form": "missing"}, {"then": "odd_row", "form": "missing"}])
def test_a_form_that_the_fault_does_not_have_is_refused(sandbox, rule):
    with pytest.raises(ValueError, match="form must be one of"):
        sandbox.rule("vakifbank.query", **rule)
