"""The inquiries in this process, against the provider sandboxes: what is answered, refused and never shown."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from vezne.providers import client as inquiries, credentials, http as provider
from vezne.providers.http import ProviderResponse
from vezne.providers.kolaybi import client as kolaybi
from vezne.providers.paynet import client as paynet
from vezne.providers.vakifbank import client as vakifbank
from vezne.providers.walletgate import client as walletgate
from vezne_cli.catalogue import INQUIRIES, PROVIDERS, URLS
from vezne_cli.golden import golden
from vezne_cli.template import expanded, source
from vezne_sandbox.client import SandboxControl
from vezne_sandbox.server import running_sandbox

from tests.support.harness import load_function
from tests.support.memory_secret import MemorySecret, in_place

ROOT = Path(__file__).parents[2]
SECRETS = json.loads((ROOT / "shared" / "vezne_sandbox" / "credentials.json").read_text())
MODULES = {name: provider.module for name, provider in PROVIDERS.items()}
ASAT = "5e1d0a57-0000-4000-8000-000000001001"


def question(name: str) -> tuple[dict[str, str], dict[str, str], dict[str, Any] | None]:
    """Path parameters, query and body of the golden event."""
    asked = golden(name)
    in_path = {key: value for key, value in asked.parameters.items() if key not in asked.query}
    return in_path, asked.query, asked.body


QUESTIONS = {name: question(name) for name in INQUIRIES}
# HASO has no public sign of wrong credentials.
WITH_A_SIGN = [name for name in QUESTIONS if not name.startswith("haso.")]
Ask = Callable[..., tuple[int, dict[str, str], dict[str, Any]]]


class Context:
    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - time.monotonic()) * 1000)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxControl]:
    """The providers, with every secret set and all caches empty."""
    with running_sandbox() as control:
        for name in URLS:
            monkeypatch.setenv(name, control.url)
        monkeypatch.setattr(credentials, "_fetch_secret", secret)
        monkeypatch.setattr(vakifbank.LOGINS, "begin", lambda version, deadline, shared: None)
        monkeypatch.setattr(vakifbank.LOGINS, "end", lambda version, ended: None)
        forget()
        token = MemorySecret()
        with in_place(lambda: token):
            yield control
    forget()


def secret(model: type[Any]) -> tuple[Any, str]:
    provider = next(name for name in SECRETS if model.__name__.lower().startswith(name))
    return model.model_validate(SECRETS[provider]), "version-1"


def forget() -> None:
    for module in MODULES.values():
        module.CLIENT.credential_cache.forget()
        module.PROVIDER._forget_connections()


@pytest.fixture
def ask(sandbox: SandboxControl) -> Ask:
    def send(
        name: str,
        *,
        seconds: float = 27.0,
        client: str | None = "client-1",
        headers: dict[str, str] | None = None,
        **changes: Any,
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        parameters, query, body = QUESTIONS[name]
        query, body = changes.get("query", query), changes.get("body", body)
        parameters = changes.get("parameters", parameters)
        event = {
            "path": "/any",
            "pathParameters": parameters or None,
            "queryStringParameters": query or None,
            "multiValueQueryStringParameters": changes.get("several", {key: [it] for key, it in query.items()}) or None,
            "headers": headers or {"content-type": "application/json"},
            "requestContext": {
                "stage": "v1",
                "path": "/v1/any",
                "authorizer": {"claims": {"client_id": client} if client else {}},
            },
            "body": body if isinstance(body, str) or body is None else json.dumps(body),
        }
        answer = load_function(INQUIRIES[name].folder).handler(event, Context(seconds))
        return answer["statusCode"], answer["headers"], json.loads(answer["body"])

    return send


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_inquiry_is_answered_and_never_cached(sandbox: SandboxControl, ask: Ask, name: str) -> None:
    status, headers, body = ask(name)
    assert status == 200, body
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json"
    assert len(sandbox.calls(name)) == 1
    assert sandbox.bookings() == []


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("fault", ["reset", "status_500", "cut", "fail"])
def test_a_lost_answer_is_asked_for_once_more(sandbox: SandboxControl, ask: Ask, name: str, fault: str) -> None:
    sandbox.rule(name, fault)
    assert ask(name)[0] == 200
    assert len(sandbox.calls(name)) == 2


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_provider_that_stays_silent_is_a_problem_that_moved_nothing(
    sandbox: SandboxControl, ask: Ask, name: str
) -> None:
    sandbox.rule(name, "reset", times=0)
    status, headers, problem = ask(name)
    assert (status, problem["type"]) == (503, "/v1/problems/provider-unreachable")
    assert (problem["money"], problem["retry"]) == ("not_moved", "same_key")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Retry-After"] == "5"


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_provider_that_hangs_is_asked_once_more_in_bounded_time(
    sandbox: SandboxControl, ask: Ask, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    hang(sandbox, ask, monkeypatch, name, 0.3)
    began = time.monotonic()
    status, headers, problem = ask(name)
    assert time.monotonic() - began < 2
    assert (status, problem["type"].rsplit("/")[-1]) == (503, "provider-unreachable")
    assert (problem["money"], problem["retry"], headers["Retry-After"]) == ("not_moved", "same_key", "5")
    assert len(sandbox.calls(name)) == 3


def test_a_provider_that_hangs_is_not_asked_again_after_the_deadline(
    sandbox: SandboxControl, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang(sandbox, ask, monkeypatch, "paynet.check", 1.0)
    # A call is begun with at least 6 seconds: 3 to connect, 3 to answer the client.
    status, _, problem = ask("paynet.check", seconds=6.9)
    assert (status, problem["type"].rsplit("/")[-1]) == (503, "provider-unreachable")
    assert len(sandbox.calls("paynet.check")) == 2


def hang(sandbox: SandboxControl, ask: Ask, monkeypatch: pytest.MonkeyPatch, name: str, seconds: float) -> None:
    """Let the provider hang from its second call on. The login is done, and the time to wait for an answer is short."""
    assert ask(name)[0] == 200
    monkeypatch.setattr(inquiries, "INQUIRY_SECONDS", seconds)
    monkeypatch.setattr(provider, "SHORTEST_READ_SECONDS", 0.0)
    sandbox.rule(name, "hang", times=0)


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_client_gets_the_answer_to_another_client(sandbox: SandboxControl, ask: Ask, name: str) -> None:
    for calls, client in enumerate(["client-1", "client-2", "client-1"], start=1):
        status, headers, _ = ask(name, client=client)
        assert (status, headers["Cache-Control"]) == (200, "no-store")
        assert len(sandbox.calls(name)) == calls


@pytest.mark.parametrize("name", QUESTIONS)
def test_after_a_rate_limit_the_provider_is_not_asked_again(sandbox: SandboxControl, ask: Ask, name: str) -> None:
    sandbox.rule(name, "too_many_requests", times=0)
    status, _, problem = ask(name)
    assert (status, problem["type"]) == (503, "/v1/problems/provider-unreachable")
    # VakıfBank has a code for it.
    assert len(sandbox.calls(name)) == 1


@pytest.mark.parametrize("name", WITH_A_SIGN)
def test_an_expired_login_is_renewed_without_the_client_seeing_it(sandbox: SandboxControl, ask: Ask, name: str) -> None:
    sandbox.rule(name, "unauthorized")
    assert ask(name)[0] == 200


@pytest.mark.parametrize("name", WITH_A_SIGN)
def test_a_login_that_stays_refused(sandbox: SandboxControl, ask: Ask, name: str) -> None:
    sandbox.rule(name, "unauthorized", times=0)
    status, _, problem = ask(name)
    assert (status, problem["type"]) == (502, "/v1/problems/provider-rejected-credentials")
    assert problem["money"] == "not_moved"


def test_a_refusal_by_haso_is_believed_once_the_secret_is_known_to_be_the_newest(
    sandbox: SandboxControl, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask("haso.payment_plan")[0] == 200
    rotated = {**SECRETS["haso"], "merchant_key": "rotated-merchant-key"}
    sandbox.seed(haso={"credentials": {"merchant_key": "rotated-merchant-key"}})
    status, _, problem = ask("haso.payment_plan")
    assert (status, problem["type"], problem["retry"]) == (422, "/v1/problems/inquiry-refused", "never")
    new = credentials.HasoCredentials.model_validate(rotated)
    monkeypatch.setattr(credentials, "_fetch_secret", lambda _: (new, "version-2"))
    assert ask("haso.payment_plan")[0] == 200


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_that_is_not_json(sandbox: SandboxControl, ask: Ask, name: str) -> None:
    sandbox.rule(name, "trailing_comma", times=0)
    status, _, problem = ask(name)
    assert (status, problem["type"]) == (502, "/v1/problems/provider-answer-unreadable")
    assert (problem["money"], problem["retry"]) == ("not_moved", "same_key")


@pytest.mark.parametrize("name", QUESTIONS)
def test_with_too_little_time_the_provider_is_not_called(sandbox: SandboxControl, ask: Ask, name: str) -> None:
    status, _, problem = ask(name, seconds=7.9)
    assert (status, problem["type"]) == (503, "/v1/problems/not-enough-time")
    assert sandbox.calls() == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_token_without_a_client(sandbox: SandboxControl, ask: Ask, name: str) -> None:
    assert ask(name, client=None)[0] == 403
    assert sandbox.calls() == []


@pytest.mark.parametrize("name", [name for name, question in QUESTIONS.items() if question[2] is None])
def test_an_unknown_or_repeated_parameter(sandbox: SandboxControl, ask: Ask, name: str) -> None:
    query = {**QUESTIONS[name][1], "leaf": "1"}
    status, _, problem = ask(name, query=query)
    assert (status, problem["type"]) == (400, "/v1/problems/invalid-request")
    assert problem["errors"] == [{"place": "query.leaf", "reason": "unknown field leaf"}]
    status, _, problem = ask(name, several={"leaf": ["1", "2"]})
    assert problem["errors"] == [{"place": "query.leaf", "reason": "must be given once"}]
    assert sandbox.calls() == []


def test_invisible_characters_in_a_parameter_name_are_shown(ask: Ask) -> None:
    _, _, problem = ask("kolaybi.list_vaults", several={"a\u202eb 4111111111111111": ["1", "2"]})
    assert problem["errors"] == [{"place": "query.a?b ***", "reason": "must be given once"}]
    _, _, problem = ask("kolaybi.list_vaults", query={"a\u202eb": "1"})
    assert problem["errors"] == [{"place": "query.a?b", "reason": "unknown field a?b"}]


@pytest.mark.parametrize(
    ("name", "changes", "place"),
    [
        ("kolaybi.list_transactions", {"parameters": {"associate_id": "0"}}, "path.associate_id"),
        ("kolaybi.list_transactions", {"parameters": {"associate_id": "x"}}, "path.associate_id"),
        ("kolaybi.list_transactions", {"query": {"associate_id": "1"}}, "query.associate_id"),
        ("kolaybi.list_vaults", {"query": {"currency": "TL"}}, "query.currency"),
        ("kolaybi.list_vaults", {"query": {"type": "cash"}}, "query.type"),
        ("vakifbank.query", {"query": {}}, "query"),
        ("vakifbank.query", {"query": {"payment_date": "2022-12-28"}}, "query"),
        ("vakifbank.query", {"query": {"transaction_query_no": "1", "payment_date": "soon"}}, "query.payment_date"),
        (
            "vakifbank.query",
            {"query": {"transaction_query_no": "1", "transaction_type": "3"}},
            "query.transaction_type",
        ),
        ("haso.payment_plan", {"query": {}}, "query.merchant_oid"),
        ("haso.payment_plan", {"query": {"merchant_oid": "x" * 21}}, "query.merchant_oid"),
        ("paynet.check", {"query": {}}, "query"),
        ("paynet.check", {"query": {"xact_id": ""}}, "query.xact_id"),
        ("walletgate.list_bills", {"body": {"product_oid": ASAT}}, "body.subscriber_no1"),
        ("walletgate.list_bills", {"body": {"product_oid": ASAT, "subscriber_no1": 1001}}, "body.subscriber_no1"),
        ("walletgate.list_bills", {"body": "[]"}, "body"),
    ],
)
def test_bad_input_gets_the_same_problem_as_an_order(
    sandbox: SandboxControl, ask: Ask, name: str, changes: dict[str, Any], place: str
) -> None:
    status, _, problem = ask(name, **changes)
    assert (status, problem["type"]) == (400, "/v1/problems/invalid-request")
    assert (problem["money"], problem["retry"]) == ("not_moved", "never")
    assert [error["place"] for error in problem["errors"]] == [place]
    assert sandbox.calls() == []


def test_a_body_that_is_not_json_or_too_long(sandbox: SandboxControl, ask: Ask) -> None:
    assert ask("walletgate.list_bills", headers={"content-type": "text/plain"})[0] == 415
    assert ask("walletgate.list_bills", body='"' + "x" * 70_000 + '"')[0] == 413
    assert sandbox.calls() == []


def test_a_refusal_is_passed_on_with_its_code(ask: Ask) -> None:
    status, _, problem = ask("walletgate.product_detail", parameters={"product_oid": "none such"})
    assert (status, problem["type"]) == (422, "/v1/problems/inquiry-refused")
    assert (problem["provider_code"], problem["money"], problem["retry"]) == ("400", "not_moved", "never")


def test_an_unusable_secret(sandbox: SandboxControl, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> tuple[Any, str]:
        raise credentials.SecretUnusableError("the secret is not JSON")

    monkeypatch.setattr(credentials, "_fetch_secret", missing)
    assert ask("paynet.check")[0] == 502
    monkeypatch.setattr(paynet.CLIENT.credential_cache, "_secret", None)
    sandbox.reset()
    wrong = credentials.PaynetCredentials(secret_key=SecretStr("wrong"))
    monkeypatch.setattr(credentials, "_fetch_secret", lambda _: (wrong, "version-2"))
    assert ask("paynet.check")[2]["type"] == "/v1/problems/provider-rejected-credentials"


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_failed_inquiry_has_moved_nothing(ask: Ask, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("vezne.api.handle_inquiry._asked", lambda *_: 1 / 0)
    status, _, problem = ask(name)
    assert (status, problem["type"]) == (500, "/v1/problems/internal")
    assert (problem["money"], problem["retry"]) == ("not_moved", "same_key")


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_unusable_secret_is_counted_for_the_alarm_of_its_provider(
    sandbox: SandboxControl, ask: Ask, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_: object) -> tuple[Any, str]:
        raise credentials.SecretUnusableError("the secret is not JSON")

    monkeypatch.setattr(credentials, "_fetch_secret", missing)
    assert ask(name)[0] == 502
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    alarms = [
        {
            "MetricName": it["Properties"]["MetricName"],
            **{one["Name"]: one["Value"] for one in it["Properties"]["Dimensions"]},
        }
        for it in expanded(source())["Resources"].values()
        if it["Type"] == "AWS::CloudWatch::Alarm" and it["Properties"]["MetricName"] == "CredentialsRejected"
    ]
    counted = [
        {"MetricName": metric["Name"], **{key: line[key] for key in names}}
        for line in printed
        for directive in line["_aws"]["CloudWatchMetrics"]
        for names in directive["Dimensions"]
        for metric in directive["Metrics"]
    ]
    (watched,) = [alarm for alarm in alarms if alarm in counted]
    assert watched["provider"] == name.split(".", maxsplit=1)[0]


def test_bills_have_the_fields_that_a_payment_needs(sandbox: SandboxControl, ask: Ask) -> None:
    sandbox.seed(
        walletgate={
            "bills": [
                {
                    "product_oid": ASAT,
                    "subscriber_no": "1002",
                    "bill_term": "01/2026",
                    "bill_no": "B-1",
                    "invoice_amount": "196.5000",
                    "oid": "oid-1",
                }
            ]
        }
    )
    (bill,) = ask("walletgate.list_bills", body={"product_oid": ASAT, "subscriber_no1": "1002"})[2]["bills"]
    assert bill["invoice_amount"] == "196.50"
    assert bill["inv_payment_transaction_query_oid"] == "oid-1"
    assert bill["partial_payment_allowed"] is False
    assert bill["raw"] == {}
    assert ask("walletgate.list_bills", body={"product_oid": ASAT, "subscriber_no1": "none"})[2] == {"bills": []}


@pytest.mark.parametrize("name", PROVIDERS["walletgate"].inquiries)
@pytest.mark.parametrize("said", [{"status": 1, "code": "100"}, {"code": "100"}, {"status": 0}])
def test_walletgate_s_success_is_both_status_and_code(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, name: str, said: dict[str, Any]
) -> None:
    content = json.dumps({**said, "payload": [{"bill_no": "B-1"}]}).encode()
    monkeypatch.setattr(walletgate, "ask", lambda client, deadline, build: ProviderResponse(200, content))
    status, _, problem = ask(name)
    assert (status, problem["type"].rsplit("/")[-1]) == (502, "provider-answer-unreadable")


def test_vaults_are_filtered_by_the_provider(ask: Ask) -> None:
    everything = ask("kolaybi.list_vaults", query={})[2]["raw"]["data"]
    assert [vault["id"] for vault in everything] == [10201, 10202, 10203]
    euro = ask("kolaybi.list_vaults", query={"currency": "EUR"})[2]["raw"]["data"]
    assert [vault["id"] for vault in euro] == [10203]


def test_vaults_and_transactions_are_typed_as_far_as_they_are_known(ask: Ask) -> None:
    first = ask("kolaybi.list_vaults", query={})[2]["vaults"][0]
    assert first == {"raw": {}, "id": 10201, "type": "SAFE_DEPOSIT", "name": "Merkez Kasa", "balance": "0.00",
                     "currency": "try"}  # fmt: skip
    assert ask("kolaybi.list_transactions")[2]["transactions"] == []


@pytest.mark.parametrize("rows", ["vaults", "transactions"])
@pytest.mark.parametrize(
    ("data", "typed"),
    [
        ([{"id": 9, "amount": 1.5, "balance": 2.5, "description": "Kart 4111111111111111", "extra": 1}], 1),
        ({"items": [{"id": "dokuz"}]}, 1),
        ({"transactionables": [{"id": 9}]}, None),
        ("yok", None),
        (None, None),
    ],
)
def test_rows_in_another_form_are_under_raw_alone(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, rows: str, data: Any, typed: int | None
) -> None:
    content = json.dumps({"data": data}).encode()
    monkeypatch.setattr(kolaybi, "ask", lambda client, deadline, build: ProviderResponse(200, content))
    status, _, body = ask(f"kolaybi.list_{rows}")
    assert status == 200
    assert (None if body[rows] is None else len(body[rows])) == typed
    assert "4111111111111111" not in json.dumps(body)
    assert body["raw"].keys() == {"data"}
    if isinstance(data, dict) and "items" in data:
        assert (body[rows][0]["id"], body[rows][0]["raw"]) == (None, {"id": "dokuz"})


def test_the_payment_plan_is_typed(ask: Ask) -> None:
    body = ask("haso.payment_plan")[2]
    assert [row["installment_no"] for row in body["payment_plan"]] == [1, 2, 3]
    assert body["payment_plan"][0]["installment_payment"] == "1000.00"
    assert body["raw"] == {}


def test_a_check_lists_every_row(ask: Ask) -> None:
    (row,) = ask("paynet.check", query={"reference_no": "R-1"})[2]["transactions"]
    assert (row["reference_no"], row["transaction_type"], row["currency"]) == ("R-1", "3", "TRY")
    assert (row["commission"], row["is_3d_secure"], row["is_succeed"]) == ("0", True, True)


@pytest.mark.parametrize("written", ["TRX%2F1", "TRX/1"])
def test_the_path_of_an_inquiry_is_decoded(sandbox: SandboxControl, ask: Ask, written: str) -> None:
    assert ask("haso.payment_plan", parameters={"transaction_code": written})[0] == 200
    assert [call["reference"] for call in sandbox.calls("haso.payment_plan")] == ["TRX/1"]


def test_an_inquiry_with_a_wrongly_encoded_path_is_refused(sandbox: SandboxControl, ask: Ask) -> None:
    status, _, body = ask("haso.payment_plan", parameters={"transaction_code": "TRX%"})
    assert (status, body["errors"][0]["place"]) == (400, "path.transaction_code")
    assert sandbox.calls("haso.payment_plan") == []
