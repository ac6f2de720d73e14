from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from vezne_cli.catalogue import ORDERS
from vezne_cli.processes import module_command
from vezne_sandbox.client import SandboxControl
from vezne_sandbox.server import running_sandbox

from tests.unit.sandbox.orders import SECRETS, VAKIFBANK_ORDER, raw_capture

ROOT = Path(__file__).parents[3]


def statuses(merchant, count):
    return [merchant.capture().status_code for _ in range(count)]


def test_nth_and_times(merchant, sandbox):
    sandbox.rule("paynet.capture", "status_500", nth=2, times=2)
    assert statuses(merchant, 4) == [200, 500, 500, 200]
    [rule] = sandbox.rules()
    assert (rule["calls"], rule["hits"]) == (4, 2)


def test_times_0_applies_until_the_rule_is_removed(merchant, sandbox):
    rule = sandbox.rule("paynet.capture", "status_500", times=0)
    sandbox.rule("kolaybi.collect", "status_500")
    assert statuses(merchant, 3) == [500, 500, 500]
    sandbox.remove_rules(rule["id"])
    assert statuses(merchant, 1) == [200]
    assert [r["operation"] for r in sandbox.rules()] == ["kolaybi.collect"]


def test_of_two_rules_the_first_that_applies_decides_and_both_count(merchant, sandbox):
    sandbox.rule("paynet.capture", "status_500", nth=1)
    sandbox.rule("paynet.capture", "bad_gateway_html", nth=2)
    assert statuses(merchant, 3) == [500, 502, 200]


def test_match_applies_only_to_calls_with_the_reference(merchant, sandbox):
    sandbox.rule("paynet.capture", "status_500", match="xk_1", times=0)
    references = ("xk_1", "xk_11", "a-xk_1", "other")
    assert [merchant.capture(xact_id=value).status_code for value in references] == [500, 200, 200, 200]


def test_match_finds_a_word_inside_a_description(merchant, sandbox):
    sandbox.rule("kolaybi.collect", "status_500", match="op_abc", times=0)
    body = "amount=1&currency=TRY&gateway_id=1&description="
    descriptions = ("Fatura%20[op_abc]", "op_abcd", "")
    assert [merchant.collect(body + text).status_code for text in descriptions] == [500, 200, 200]


@pytest.mark.parametrize(
    "rule",
    [
        {"operation": "paynet.refund"},
        {"operation": "paynet.capture", "then": "explode"},
        {"operation": "vakifbank.pay", "then": "other_amount"},
        {"operation": "kolaybi.collect", "then": "other_reference"},
        {"operation": "paynet.capture", "then": "lag"},
        {"operation": "paynet.check", "book": True},
        {"operation": "paynet.capture", "book": {"seconds": 1}},
        {"operation": "paynet.capture", "nth": 0},
        {"operation": "paynet.capture", "nth": "2"},
        {"operation": "paynet.capture", "drip": "tail"},
        {"operation": "paynet.capture", "then": "refuse", "code": "H307"},
        {"operation": "paynet.capture", "amount": "ten"},
        {"operation": "paynet.capture", "hits": 1},
        {"operation": "paynet.capture", "nht": 1},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(sandbox, rule):
    answer = httpx.post(f"{sandbox.url}/_control/rules", json=rule)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert sandbox.rules() == []


def test_operations_list_their_faults(sandbox):
    operations = sandbox.operations()
    pay = {name for name, operation in operations.items() if operation["kind"] == "pay"}
    assert pay == ORDERS.keys()
    assert "other_reference" not in operations["kolaybi.collect"]["then"]
    assert {"fail", "lag", "foreign"} <= set(operations["paynet.check"]["then"])


def test_the_log_of_calls_says_what_happened(merchant, sandbox):
    sandbox.rule("paynet.capture", "status_500")
    merchant.capture()
    merchant.capture(amount="x")
    merchant.http.post("/v1/transaction/sale")
    faulty, refused, nowhere = sandbox.calls()
    assert (faulty["operation"], faulty["outcome"], faulty["booked"], faulty["rule"]) == (
        *("paynet.capture", "status_500", True),
        sandbox.rules()[0]["id"],
    )
    assert faulty["reference"].startswith("xk_")
    assert (refused["status"], refused["booked"], refused["rule"]) == (400, False, None)
    assert (nowhere["operation"], nowhere["status"]) == ("POST /v1/transaction/sale", 404)
    assert len(sandbox.calls("paynet.capture")) == 2


def test_waiting_for_a_call_that_does_not_come_ends(sandbox):
    with pytest.raises(TimeoutError, match="0 of 1 calls"):
        sandbox.wait_for_calls("paynet.capture", seconds=0.05)


def test_bookings_by_provider_and_reference(merchant, sandbox):
    merchant.capture(xact_id="xk_1")
    merchant.capture(xact_id="xk_2")
    merchant.collect()
    assert len(sandbox.bookings()) == 3
    assert [b["reference"] for b in sandbox.bookings("paynet", reference="xk_2")] == ["xk_2"]
    assert sandbox.booked("paynet") * 100 == 2 * 5935


def test_revoked_tokens_are_refused_and_a_new_login_works(merchant, sandbox):
    vakifbank, kolaybi = merchant.vakifbank_headers(), merchant.kolaybi_headers()
    sandbox.revoke_tokens("vakifbank")
    assert merchant.http.post("/tos/payment", json=VAKIFBANK_ORDER, headers=vakifbank).status_code == 401
    assert merchant.collect(headers=kolaybi).status_code == 200
    sandbox.revoke_tokens()
    assert merchant.collect(headers=kolaybi).status_code == 401
    assert merchant.tos_pay().status_code == 200
    with pytest.raises(ValueError, match="KeyError"):
        sandbox.revoke_tokens("nobody")


def test_a_secret_is_replaced_or_joined_by_another(merchant, sandbox):
    old = SECRETS["vakifbank"]["client_secret"]
    sandbox.seed(vakifbank={"credentials": {"client_secret": [old, "new"]}})
    both = [merchant.vakifbank_login(client_secret=secret).status_code for secret in (old, "new")]
    sandbox.seed(vakifbank={"credentials": {"client_secret": "new"}})
    one = [merchant.vakifbank_login(client_secret=secret).status_code for secret in (old, "new")]
    assert (both, one) == ([200, 200], [401, 200])
    assert sandbox.state()["vakifbank"]["wrong_secrets"] == 1


def test_hasos_signature_follows_a_rotated_key(merchant, sandbox):
    sandbox.seed(haso={"credentials": {"merchant_key": "new"}})
    assert merchant.set_expenses().json()["Success"] is False
    sandbox.seed(haso={"credentials": {"merchant_key": ["new", SECRETS["haso"]["merchant_key"]]}})
    assert merchant.set_expenses().json()["Success"] is True


@pytest.mark.parametrize(
    "seed",
    [{"paynet": {"bills": []}}, {"kolaybi": {"credentials": {"password": "x"}}}, {"stripe": {}}],
)
def test_an_unknown_seed_is_refused(sandbox, seed):
    with pytest.raises(ValueError, match="KeyError"):
        sandbox.seed(**seed)


def test_reset_forgets_everything_but_the_tokens_given_out(merchant, sandbox):
    headers = merchant.kolaybi_headers()
    sandbox.rule("paynet.capture", "status_500", times=0)
    sandbox.rule("haso.set_expenses", book={"after_seconds": 5})
    sandbox.seed(vakifbank={"wrong_secrets": 5}, paynet={"credentials": {"secret_key": "new"}})
    merchant.set_expenses()
    merchant.collect(headers=headers)
    sandbox.reset()
    sandbox.advance_clock(10)
    assert (sandbox.bookings(), sandbox.calls(), sandbox.rules()) == ([], [], [])
    assert merchant.collect(headers=headers).status_code == 200
    assert merchant.capture().status_code == 200
    assert merchant.tos_pay().status_code == 200


def test_a_port_in_use_is_reported(sandbox):
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(RuntimeError, match=str(port)), running_sandbox(port=port):
        pass


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_and_ends_while_a_caller_hangs(stop):
    command = module_command("vezne_sandbox", "--port", "0")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        url = f"http://127.0.0.1:{json.loads(program.stdout.readline())['port']}"
        control = SandboxControl(url)
        control.rule("paynet.capture", "hang")
        with raw_capture(url):
            assert len(control.wait_for_calls("paynet.capture")) == 1
            control.close()
            program.send_signal(stop)
            _, errors = program.communicate(timeout=10)
        assert (program.returncode, errors) == (0, "")


def test_the_server_ends_though_a_caller_is_waiting():
    with running_sandbox() as sandbox:
        sandbox.rule("paynet.capture", "hang")
        connection = raw_capture(sandbox.url)
        sandbox.wait_for_calls("paynet.capture")
        assert len(sandbox.bookings()) == 1
    with connection:
        assert connection.recv(1) == b""
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{sandbox.url}/_control/health")
