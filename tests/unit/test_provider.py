"""The HTTP call over real sockets: what is certainly not sent, what is lost, and what is an answer."""

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from vezne.providers import http as provider_module
from vezne.providers.http import (
    LONGEST_ANSWER,
    LONGEST_IDLE_SECONDS,
    AnswerLostError,
    Deadline,
    NotSentError,
    Provider,
    ProviderResponse,
    Request,
    form_request,
    json_request,
)

from tests.support.raw_server import Connection, RawServer, Script, ok, raw_server

ORDER = Request("POST", "/pay", {"Content-Type": "application/json"}, b'{"amount": 1}')
ENOUGH = Deadline(lambda: 27_000)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RawServer]]:
    """Starts a raw server in the provider's place."""
    with contextlib.ExitStack() as stack:

        def start_server(script: Script, **options: Any) -> RawServer:
            server = stack.enter_context(raw_server(script, **options))
            monkeypatch.setenv("TEST_URL", server.url)
            return server

        yield start_server


def send(provider: Provider | None = None, longest: float = 5.0, deadline: Deadline = ENOUGH) -> ProviderResponse:
    provider = provider or Provider("TEST_URL")
    return provider.send(provider.prepare(ORDER), deadline, longest)


def answering(answer: bytes) -> Script:
    """Answers every request on a connection with the same bytes."""

    def script(connection: Connection) -> None:
        while connection.read_request():
            connection.send(answer)

    return script


def answering_once(answer: bytes) -> Script:
    """Answers one request and closes."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(answer)

    return script


def test_a_whole_answer(start: Callable[..., RawServer]) -> None:
    server = start(answering(ok(b'{"data": 1}')))
    answer = send()
    assert (answer.status, answer.body) == (200, b'{"data": 1}')
    head, _, body = server.received.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /pay HTTP/1.1\r\n")
    assert b"User-Agent: vezne\r\n" in head
    assert body == b'{"amount": 1}'


# -------------------------------------------------------------------- certainly not sent


def test_refused_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("TEST_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(NotSentError):
        send()


def test_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setenv("TEST_URL", "https://bank.invalid")
    with pytest.raises(NotSentError):
        send()


def test_connection_that_is_never_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "CONNECT_SECONDS", 0.2)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            # Fills the backlog; the kernel then leaves further connections unanswered.
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        monkeypatch.setenv("TEST_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(NotSentError):
            send()


def test_tls_handshake_that_breaks(start: Callable[..., RawServer], monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(lambda connection: connection.send(b"this is not TLS\r\n"))
    monkeypatch.setenv("TEST_URL", f"https://127.0.0.1:{server.port}")
    with pytest.raises(NotSentError):
        send()


def test_an_untrusted_certificate_is_refused(start: Callable[..., RawServer], tls: Any) -> None:
    server = start(answering(ok(b"{}")), context=tls.context)
    with pytest.raises(NotSentError):
        send()
    assert server.received == b""


@pytest.mark.parametrize("seconds_left", [0.0, 2.9, 4.9])
def test_too_little_time_after_connecting(start: Callable[..., RawServer], seconds_left: float) -> None:
    server = start(answering(ok(b"{}")))
    with pytest.raises(NotSentError):
        send(deadline=Deadline(lambda: seconds_left * 1000))
    assert server.received == b""


def test_address_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_URL", raising=False)
    with pytest.raises(NotSentError, match="TEST_URL is not set"):
        send()


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://", "http://[", "http://127.0.0.1:99999"])
def test_address_that_is_none(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TEST_URL", url)
    with pytest.raises(NotSentError):
        send()


@pytest.mark.parametrize("value", ["two\r\nlines", "Şube"])
def test_header_that_cannot_be_sent(start: Callable[..., RawServer], value: str) -> None:
    server = start(answering(ok(b"{}")))
    provider = Provider("TEST_URL")
    with pytest.raises(NotSentError):
        provider.send(provider.prepare(Request("POST", "/", {"Channel": value})), ENOUGH)
    assert server.received == b""


# -------------------------------------------------------------------- may have been sent


def close_before_reading(_: Connection) -> None:
    pass


def close_after_reading(connection: Connection) -> None:
    connection.read_request()


def reset_after_reading(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


def reset_after_the_first_bytes(connection: Connection) -> None:
    connection.socket.recv(10)
    connection.reset()


LOST: dict[str, Script] = {
    "closed before reading": close_before_reading,
    "closed after reading": close_after_reading,
    "reset after reading": reset_after_reading,
    "reset after the first bytes": reset_after_the_first_bytes,
    "status line cut": answering_once(b"HTTP/1.1 20"),
    "body missing": answering_once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
    "body cut": answering_once(b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"data": 1}'),
    "chunk cut": answering_once(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"data": 1}'),
    "last chunk missing": answering_once(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{"data": 1}\r\n'),
    "chunk size is nonsense": answering_once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
    "not HTTP": answering_once(b"220 mail.example ESMTP\r\n"),
    "bad gzip": answering_once(ok(b"not gzip", "Content-Encoding: gzip\r\n")),
    "longer than any answer": answering_once(ok(b" " * (LONGEST_ANSWER + 1))),
    "gzip longer than any answer": answering_once(
        ok(gzip.compress(b" " * (LONGEST_ANSWER + 1)), "Content-Encoding: gzip\r\n")
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_lost_answer(start: Callable[..., RawServer], name: str) -> None:
    server = start(LOST[name])
    provider = Provider("TEST_URL")
    with pytest.raises(AnswerLostError) as caught:
        send(provider)
    # Sent once, whatever happened; and the text is a class name, never an address or an answer.
    assert len(server.connections) == 1
    assert server.received.count(b"POST /pay") <= 1
    assert str(caught.value).isidentifier()
    assert str(server.port) not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_answer_cut_in_its_headers_has_nothing_to_read(start: Callable[..., RawServer]) -> None:
    """The HTTP library takes it for an empty answer, which no operation takes for a success or a refusal."""
    start(answering_once(b"HTTP/1.1 200 OK\r\nContent-Le"))
    assert send().body == b""


def test_a_large_order_that_is_cut_off_half_way(start: Callable[..., RawServer]) -> None:
    start(reset_after_the_first_bytes)
    provider = Provider("TEST_URL")
    with pytest.raises(AnswerLostError):
        provider.send(provider.prepare(Request("POST", "/pay", {}, b"x" * 8_000_000)), ENOUGH, 5)


DRIPPED: dict[str, tuple[bytes, bytes]] = {
    # What is sent at once, and what then drips. Each would be a whole answer if only one waited.
    "silence": (b"", b""),
    "status line": (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 60 + b"Content-Length: 2\r\n\r\n{}"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", b" " * 398 + b"{}"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 60 + b"2\r\n{}\r\n0\r\n\r\n"),
    "body without length": (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 398 + b"{}"),
}


@pytest.fixture
def short_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a call wait for less than two seconds, so that the tests need not."""
    monkeypatch.setattr(provider_module, "SHORTEST_READ_SECONDS", 0.05)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", DRIPPED)
def test_a_slow_answer_is_cut_at_the_deadline(
    start: Callable[..., RawServer], short_reads: None, tls: Any, trusted: Callable[[], None], name: str, secure: bool
) -> None:
    at_once, slowly = DRIPPED[name]
    gone, said_it_all = threading.Event(), threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(at_once)
        if not slowly:
            gone.wait(20)
        connection.drip(slowly, gone)
        said_it_all.set()

    if secure:
        trusted()
    server = start(script, context=tls.context if secure else None)
    try:
        with pytest.raises(AnswerLostError):
            send(longest=0.3)
        assert not said_it_all.is_set()
        assert server.received.count(b"POST /pay") == 1
    finally:
        gone.set()


def test_the_functions_own_end_shortens_the_wait(start: Callable[..., RawServer], short_reads: None) -> None:
    gone = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        gone.wait(20)
        connection.send(ok(b"{}"))

    start(script)
    try:
        # 3.2 s left, of which 3 are kept for the final write: the 20 s of the operation do not count.
        with pytest.raises(AnswerLostError, match="deadline"):
            send(longest=20, deadline=Deadline(lambda: 3_200))
    finally:
        gone.set()


# -------------------------------------------------------------------- connections


def test_a_fresh_connection_is_used_again(start: Callable[..., RawServer]) -> None:
    server = start(answering(ok(b"{}")))
    provider = Provider("TEST_URL")
    send(provider)
    send(provider)
    assert len(server.connections) == 1


@pytest.mark.parametrize("idle", [LONGEST_IDLE_SECONDS + 0.5, 600.0, -5.0])
def test_an_idle_connection_is_not_used_for_money(start: Callable[..., RawServer], idle: float) -> None:
    """Idle for long, or the clock was set back so that nobody knows."""
    server = start(answering(ok(b"{}")))
    provider = Provider("TEST_URL")
    send(provider)
    provider._last_used -= idle
    send(provider)
    assert len(server.connections) == 2


def test_a_connection_the_provider_closed_is_not_used(start: Callable[..., RawServer]) -> None:
    closed = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(ok(b"{}"))
        connection.socket.close()
        closed.set()

    server = start(script)
    provider = Provider("TEST_URL")
    send(provider)
    assert closed.wait(5)
    closed.clear()
    assert send(provider).status == 200
    assert len(server.connections) == 2


def test_after_a_lost_answer_the_connection_is_given_up(start: Callable[..., RawServer], short_reads: None) -> None:
    first = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        if connection.number == 0:
            first.wait(20)
            # Too late: it must not be taken for the answer to the next order.
            connection.send(ok(b'{"late": true}'))
            return
        connection.send(ok(b'{"late": false}'))

    server = start(script)
    provider = Provider("TEST_URL")
    with pytest.raises(AnswerLostError):
        send(provider, longest=0.2)
    first.set()
    assert send(provider).body == b'{"late": false}'
    assert len(server.connections) == 2


# -------------------------------------------------------------------- informational answers


def informational(*statuses: int) -> bytes:
    return b"".join(f"HTTP/1.1 {status} Wait\r\nLink: </style.css>\r\n\r\n".encode() for status in statuses)


@pytest.mark.parametrize("statuses", [(101,), (102,), (103,), (104,), (199,), (102, 103), (100, 103), (103, 100)])
def test_an_informational_answer_is_not_the_answer(start: Callable[..., RawServer], statuses: tuple[int, ...]) -> None:
    """The final answer to the first order comes as soon as a second order is sent on the same connection."""

    def script(connection: Connection) -> None:
        connection.read_request()
        if connection.number == 0:
            connection.send(informational(*statuses))
            connection.read_request()
            connection.send(ok(b'{"order": 1}'))
        else:
            connection.send(ok(b'{"order": 2}'))

    server = start(script)
    provider = Provider("TEST_URL")
    with pytest.raises(AnswerLostError, match="InformationalAnswerError"):
        send(provider)
    assert send(provider).body == b'{"order": 2}'
    assert len(server.connections) == 2


@pytest.mark.parametrize("statuses", [(101,), (102,), (103,)])
def test_an_informational_answer_right_before_the_answer_is_lost_too(
    start: Callable[..., RawServer], statuses: tuple[int, ...]
) -> None:
    """Both in one packet: the answer behind must not wait in a buffer for the next order."""

    def script(connection: Connection) -> None:
        while connection.read_request():
            first = connection.number == 0
            connection.send(informational(*statuses) + ok(b'{"order": 1}') if first else ok(b'{"order": 2}'))

    start(script)
    provider = Provider("TEST_URL")
    with pytest.raises(AnswerLostError):
        send(provider)
    assert send(provider).body == b'{"order": 2}'


def test_continue_is_passed_over(start: Callable[..., RawServer]) -> None:
    """The HTTP library waits for what follows 100, however many come."""
    server = start(answering(informational(100, 100, 100) + ok(b"{}")))
    provider = Provider("TEST_URL")
    assert send(provider).body == b"{}"
    assert send(provider).body == b"{}"
    assert len(server.connections) == 1


def test_continue_without_end_is_cut_at_the_deadline(start: Callable[..., RawServer], short_reads: None) -> None:
    gone = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        while not gone.wait(0.02):
            connection.send(informational(100))

    start(script)
    try:
        with pytest.raises(AnswerLostError, match="deadline"):
            send(longest=0.3)
    finally:
        gone.set()


# -------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200, b"{}"),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", 200, b"{}"),
        (ok(gzip.compress(b"{}"), "Content-Encoding: gzip\r\n"), 200, b"{}"),
        (ok(b" " * (LONGEST_ANSWER - 2) + b"{}"), 200, b" " * (LONGEST_ANSWER - 2) + b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}", 500, b"{}"),
        (b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\n{}", 401, b"{}"),
    ],
    ids=["chunked", "to the end", "gzip", "just short enough", "empty", "500", "401"],
)
def test_whole_answers(start: Callable[..., RawServer], answer: bytes, status: int, body: bytes) -> None:
    server = start(answering_once(answer))
    got = send()
    assert (got.status, got.body) == (status, body)
    assert len(server.connections) == 1


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_a_redirect_is_an_answer_and_no_order_to_send_elsewhere(start: Callable[..., RawServer], status: str) -> None:
    with raw_server(answering(ok(b"{}"))) as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.url}/pay\r\nContent-Length: 0\r\n\r\n"
        start(answering(head.encode()))
        assert send().status == int(status)
        assert elsewhere.connections == []


def test_neither_netrc_nor_proxy_variables_are_used(
    start: Callable[..., RawServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login foreign password foreign\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = start(answering(ok(b"{}")))
    provider = Provider("TEST_URL")
    request = Request("POST", "/pay", {"Authorization": "Bearer sandbox-token"})
    assert provider.send(provider.prepare(request), ENOUGH).status == 200
    assert b"Authorization: Bearer sandbox-token\r\n" in server.received
    assert server.received.count(b"Authorization") == 1


def test_tls_with_a_certificate_that_is_vouched_for(
    start: Callable[..., RawServer], tls: Any, trusted: Callable[[], None]
) -> None:
    trusted()
    server = start(answering(ok(b"{}")), context=tls.context)
    provider = Provider("TEST_URL")
    assert send(provider).status == 200
    assert send(provider).status == 200
    assert len(server.connections) == 1


def test_the_address_may_have_a_path_and_a_slash_at_its_end(
    start: Callable[..., RawServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(answering(ok(b"{}")))
    monkeypatch.setenv("TEST_URL", f"{server.url}/servis/")
    send()
    assert server.received.startswith(b"POST /servis/pay HTTP/1.1\r\n")


# -------------------------------------------------------------------- bodies


def test_a_json_body_keeps_every_digit_and_letter() -> None:
    request = json_request("/x", {"a": Decimal("196.50"), "b": Decimal("200.0"), "c": "Ödeme", "d": True, "e": 0}, {})
    assert request.body.decode() == '{"a": 196.50, "b": 200.0, "c": "Ödeme", "d": true, "e": 0}'
    assert request.headers["Content-Type"] == "application/json"


def test_a_form_body_keeps_order_and_repeats() -> None:
    request = form_request("/x", [("b", "1"), ("a[]", "7"), ("a[]", "8"), ("d", "Tahsilat açıklaması & more")], {})
    assert request.body == b"b=1&a%5B%5D=7&a%5B%5D=8&d=Tahsilat+a%C3%A7%C4%B1klamas%C4%B1+%26+more"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"<html></html>",
        b"\xff\xfe{}",
        b'{"a": 1,}',
        b"{} {}",
        b"[" * 100_000,
    ],
    ids=["empty", "cut", "list", "text", "number", "null", "HTML", "not UTF-8", "comma", "two", "deep"],
)
def test_a_body_that_is_no_json_object(body: bytes) -> None:
    with pytest.raises(provider_module.UnreadableError) as caught:
        ProviderResponse(200, body).json()
    assert str(caught.value) in {"not JSON", "not a JSON object"}


def test_numbers_of_an_answer_are_exact() -> None:
    fields = ProviderResponse(200, b'{"a": 196.5000, "b": 0.1, "c": 12345678901234567890.12}').json()
    assert {name: str(value) for name, value in fields.items()} == {
        "a": "196.5000", "b": "0.1", "c": "12345678901234567890.12",
    }  # fmt: skip


def test_a_byte_order_mark_and_trailing_commas() -> None:
    assert ProviderResponse(200, b'\xef\xbb\xbf{"a": 1}').json() == {"a": 1}
    assert ProviderResponse(400, b'{"Header": {"a": [1, 2, ], }, }').json(tolerate_trailing_commas=True) == {
        "Header": {"a": [1, 2]}
    }


def test_no_text_form_of_an_answer_shows_its_body() -> None:
    assert "4111" not in repr(ProviderResponse(200, b'{"card": "4111111111111111"}'))


@pytest.mark.parametrize(("left", "allowed"), [(27, True), (8, True), (7.9, False), (0, False), (-1, False)])
def test_a_call_needs_time_to_connect_to_wait_and_to_write(left: float, allowed: bool) -> None:
    assert Deadline(lambda: left * 1000).allows_a_call() is allowed
