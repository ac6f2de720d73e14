"""The checked-in OpenAPI document: current, valid, complete, and true about the provider's fields."""

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import ValidationError
from vezne.api import problems
from vezne.api.responses import WHAT_TO_DO, what_to_do
from vezne.inquiry import Inquiry
from vezne.orders.record import DECLINED, SUCCEEDED
from vezne.providers.client import InquiryFailedError
from vezne.providers.credentials import RequestCredentials
from vezne.providers.http import Deadline, Request
from vezne_cli.catalogue import PROVIDERS, ROUTES, Function
from vezne_cli.document.document import DOCUMENT, build, text
from vezne_cli.document.provider_fields import REQUESTS
from vezne_cli.document.refusals import PROBLEMS
from vezne_cli.golden import golden
from vezne_cli.processes import ROOT
from vezne_cli.template import expanded, source

DOCUMENTED = json.loads(DOCUMENT.read_text())
SECRETS = json.loads((ROOT / "shared" / "vezne_sandbox" / "credentials.json").read_text())


def every_operation() -> Iterator[dict[str, Any]]:
    for methods in DOCUMENTED["paths"].values():
        yield from methods.values()


def operations() -> Iterator[dict[str, Any]]:
    for path, methods in DOCUMENTED["paths"].items():
        # It is no operation of a provider.
        if path not in ("/operations", "/health", "/reconciliations/{provider}/{date}"):
            yield from methods.values()


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text() == text(build()), "run `python -m vezne_cli document` with PYTHONPATH=shared"


def test_the_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENTED["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(DOCUMENTED).validate()


def test_every_route_is_documented_with_its_scope() -> None:
    resources = expanded(source())["Resources"]
    deployed = {
        (
            event["Properties"]["Path"],
            event["Properties"]["Method"],
            *sorted(event["Properties"]["Auth"]["AuthorizationScopes"]),
        )
        for it in resources.values()
        if it["Type"] == "AWS::Serverless::Function"
        for event in it["Properties"].get("Events", {}).values()
        if event["Type"] == "Api" and event["Properties"]["Auth"]["Authorizer"] != "NONE"
    }
    documented = {
        (path, method, *sorted(operation["x-scopes"]))
        for path, methods in DOCUMENTED["paths"].items()
        for method, operation in methods.items()
    }
    assert documented == deployed
    assert len(documented) == len(ROUTES) + 3


def test_every_operation_shows_a_request_and_an_answer() -> None:
    for operation in operations():
        name = operation["operationId"]
        assert operation["responses"]["200"]["content"]["application/json"]["example"], name
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["example"], name
        for parameter in operation["parameters"]:
            assert parameter["description"]
            assert "example" in parameter or not parameter["required"] or parameter["name"] == "operation_id", name


def test_an_order_wants_a_key_and_may_be_unknown_and_an_inquiry_neither() -> None:
    for operation in operations():
        is_order = ROUTES[operation["operationId"]].is_order
        headers = [parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"]
        assert headers == (["Idempotency-Key", "Vezne-Dry-Run"] if is_order else [])
        assert ("202" in operation["responses"]) == is_order
        assert ("402" in operation["responses"]) == is_order


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from nodes(item)
    elif isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)


def test_nothing_is_one_of_one() -> None:
    chosen = [node["oneOf"] for node in nodes(DOCUMENTED) if "oneOf" in node]
    assert chosen
    assert all(len(choices) > 1 for choices in chosen)


@pytest.mark.parametrize("name", [name for name, it in ROUTES.items() if it.request and it.request.at_least_one_of])
def test_one_of_several_fields_is_needed_in_the_document_as_in_the_model(name: str) -> None:
    route = ROUTES[name]
    assert route.request is not None
    names = route.request.at_least_one_of
    if not route.in_body:
        (documented,) = [it for it in every_operation() if it["operationId"] == name]
        assert f"At least one of {', '.join(f'`{field}`' for field in names)} is needed." in documented["description"]
        return
    others = {key: value for key, value in golden(name).fields.items() if key not in names}
    assert not fits(others, route.request.__name__)
    for field in names:
        assert fits({**others, field: "R-1"}, route.request.__name__)
        assert route.request.model_validate({**others, field: "R-1"})


@pytest.mark.parametrize("name", [name for name, it in ROUTES.items() if it.request])
def test_a_model_needs_no_field_that_the_document_calls_optional(name: str) -> None:
    """What is wrong with a request as a whole, and not with one field, is in the schema, or told in words."""
    route = ROUTES[name]
    assert route.request is not None
    needed = {field for field, it in route.request.model_fields.items() if it.is_required()}
    fewest = {field: value for field, value in golden(name).fields.items() if field in needed}
    try:
        route.request.model_validate(fewest)
    except ValidationError as error:
        if any(not found["loc"] for found in error.errors()):
            assert route.request.at_least_one_of
    else:
        assert not route.request.at_least_one_of


def test_the_document_says_who_answers_for_it_and_what_each_tag_means() -> None:
    assert DOCUMENTED["info"]["contact"]["name"]
    assert DOCUMENTED["info"]["license"]["identifier"] == "Apache-2.0"
    assert "## Unknown outcomes" in DOCUMENTED["info"]["description"]
    described = {tag["name"] for tag in DOCUMENTED["tags"] if tag["description"]}
    assert described == {tag for operation in every_operation() for tag in operation["tags"]}


def fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, content in schema.get("properties", {}).items():
        yield name, content
        yield from fields(content)


# Only a look-up sends it.
LOOKED_UP_BY = {("SetPaidRequest", "customer_id"), ("SetPaidBulkRequest", "customer_id")}


def test_every_field_of_a_request_or_result_has_a_description() -> None:
    schemas = {name: it for name, it in DOCUMENTED["components"]["schemas"].items() if "." not in name}
    assert len(schemas) > 20
    for name, schema in schemas.items():
        for field, content in fields(schema):
            if name == "operation" or field in ("code", "text"):
                continue
            assert content["description"], (name, field)
            mine = field in ("raw", "chief", "allow_lower", "reference", "metadata") or (name, field) in LOOKED_UP_BY
            assert ("x-provider-field" in content) != mine, (name, field)


def test_an_operation_is_read_by_its_own_schema_and_no_other() -> None:
    """A result of one order may fit another's schema by its fields alone."""
    schemas = DOCUMENTED["components"]["schemas"]
    orders = [route for route in ROUTES.values() if route.is_order]
    places = {route.name: f"#/components/schemas/operation.{route.name}" for route in orders}
    assert schemas["operation"]["discriminator"] == {"propertyName": "operation", "mapping": places}
    assert schemas["operation"]["oneOf"] == [{"$ref": place} for place in places.values()]
    for route in orders:
        assert route.result is not None
        mine = {"anyOf": [{"$ref": f"#/components/schemas/{route.result.__name__}"},
                          {"$ref": "#/components/schemas/SettledByHand"}]}  # fmt: skip
        statuses = {status: f"{places[route.name]}.{status}" for status in WHAT_TO_DO}
        stored = schemas[f"operation.{route.name}"]
        assert stored["discriminator"] == {"propertyName": "status", "mapping": statuses}
        assert stored["oneOf"] == [{"$ref": place} for place in statuses.values()]
        for status in WHAT_TO_DO:
            told = what_to_do(status, route.declaration.places())
            fields = schemas[f"operation.{route.name}.{status}"]["properties"]
            assert fields["operation"] == {"const": route.name}
            assert {name: fields[name]["const"] for name in ("status", *told)} == {"status": status, **told}
            assert ("result" in fields, "refusal" in fields) == (status == SUCCEEDED, status == DECLINED)
        assert schemas[f"operation.{route.name}.succeeded"]["properties"]["result"] == mine


@pytest.mark.parametrize("name", [route.name for route in ROUTES.values() if route.is_order])
def test_an_outcome_decided_by_hand_fits_and_another_operation_s_does_not(name: str) -> None:
    schemas = {"components": DOCUMENTED["components"]}
    said = {
        "operation_id": f"op_{'a' * 26}",
        "operation": name,
        "status": "succeeded",
        "money": "moved" if ROUTES[name].declaration.moves_money else "not_moved",
        "created_at": "2026-11-22T01:09:00.099Z",
        "updated_at": "2026-11-22T01:09:00.126Z",
    }
    for schema in (f"operation.{name}.succeeded", "operation"):
        documented = Draft202012Validator({"$ref": f"#/components/schemas/{schema}", **schemas})
        assert documented.is_valid({**said, "result": {}})
        assert not documented.is_valid({**said, "result": "moved"})
        assert not documented.is_valid({**said, "operation": "none.such", "result": {}})


# ------------------------------------------------------------------ problems


def texts() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(PROBLEMS.read_text())
    return found


def test_each_problem_of_the_code_is_told_as_it_is() -> None:
    classes = [it for _, it in inspect.getmembers(problems, inspect.isclass) if issubclass(it, problems.Problem)]
    own = [it for it in classes if it is not problems.Problem]
    assert len(own) >= 18
    for problem in own:
        told = texts()[problem.slug]
        assert (told["title"], told["status"]) == (problem.title, problem.status)
        assert problem.money in told["money"]
        assert problem.retry in told["retry"]


def test_each_problem_of_the_gateway_is_told_as_it_is_and_no_other() -> None:
    api = source()["Resources"]["Api"]["Properties"]
    known = {it.slug for _, it in inspect.getmembers(problems, inspect.isclass) if hasattr(it, "slug")}
    for response in api["GatewayResponses"].values():
        template, _ = response["ResponseTemplates"]["application/json"]["Fn::Sub"]
        answer = json.loads(template)
        slug = answer["type"].removeprefix("${StagePath}/problems/")
        assert answer["code"] == slug
        known.add(slug)
        told = texts()[slug]
        assert told["status"] == answer["status"]
        assert answer["money"] in told["money"]
        assert answer["retry"] in told["retry"]
    assert texts().keys() == known


@pytest.mark.parametrize("code", texts())
def test_an_example_of_a_problem_fits_its_own_schema_and_no_other(code: str) -> None:
    example = DOCUMENTED["components"]["examples"][f"problem.{code}"]["value"]
    fitting = [other for other in texts() if fits(example, f"problem.{other}")]
    assert fitting == [code]
    # By its code alone: the other members may be alike.
    (another, *_) = [other for other in texts() if other != code]
    assert not fits({**example, "code": another}, f"problem.{code}")


def fits(value: Any, schema: str) -> bool:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENTED["components"]}
    return Draft202012Validator(whole).is_valid(value)


def refusals_of(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for answer in operation["responses"].values():
        if "application/problem+json" in answer["content"]:
            yield answer["content"]["application/problem+json"]


def test_the_problems_of_a_status_are_told_apart_by_code_and_each_has_an_example() -> None:
    seen = set()
    for operation in every_operation():
        for content in refusals_of(operation):
            schema, codes = content["schema"], list(content["examples"])
            places = {code: f"#/components/schemas/problem.{code}" for code in codes}
            if len(codes) == 1:
                assert schema == {"$ref": places[codes[0]]}
            else:
                assert schema["oneOf"] == [{"$ref": place} for place in places.values()]
                assert schema["discriminator"] == {"propertyName": "code", "mapping": places}
            seen.update(codes)
    assert seen == texts().keys()


def test_a_page_says_what_happened_and_what_to_do() -> None:
    for slug, told in texts().items():
        assert re.fullmatch(r"[A-Z].*\.", told["happened"]), slug
        assert re.fullmatch(r"[A-Z].*\.", told["do"]), slug


# ------------------------------------------------------------------ what each field becomes


OTHER: dict[str, Any] = {
    "associate_id": 2, "gateway_id": 2, "gateway_type": "vault", "exchange_rate": "2", "project_ids": [2],
    "amount": "2", "currency": "EUR", "transaction_type": "return", "payment_date": "2026-01-02",
    "tax_identity_check": False, "credit_use": False, "receiver_identity_no": "10000000146",
    "identity_no": "10000000146", "receiver_tax_no": "1234567904", "account_type": "business", "invoice_amount": "300",
    "payment_amount": "2", "counter_party_attorney_fee": "2", "expense_amount": "2", "type": "safe_deposit",
    "return_date": "2026-01-02", "allow_lower": True, "receiver_account": "2", "document_id": 2,
    "vault_id": 2, "page": 2,
    "expenses": [{"source_type": "vault", "source_id": 1, "currency": "TRY", "amount": "1"}],
    "transaction_currency_rates": [{"quote_currency": "TRY", "rate": "1", "total": "1"}],
    "InvoicesRequest.type": "purchase_invoice",
    "payment_codes": ["2"], "statuses": ["paid"], "page_size": 2,
}  # fmt: skip
# Made of other fields, or ours.
DERIVED = {"requestToken", "InstitutionTransactionCode"}
IN_PATH = {"CollectionRequest": "id", "TransactionsRequest": "associate_id"}


def access(provider: str) -> RequestCredentials[Any]:
    return RequestCredentials(PROVIDERS[provider].credentials.model_validate(SECRETS[provider]), "token", "version-1")


def request_on_the_wire(route: Function, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Provider field -> what is sent in it, for one request."""
    assert route.declaration is not None
    assert route.request is not None
    instance: Any = route.declaration()
    request = route.request.model_validate(fields)
    if not isinstance(instance, Inquiry):
        return decoded(instance.build(instance.order("client", "key", request), access(route.provider)))
    sent: list[Request] = []

    def ask(_client: Any, _deadline: Any, build: Any, *_: Any) -> Any:
        sent.append(build(access(route.provider)))
        raise InquiryFailedError("seen")

    monkeypatch.setattr(PROVIDERS[route.provider].module, "ask", ask)
    with pytest.raises(InquiryFailedError, match="seen"):
        instance.ask(request, Deadline(lambda: 27_000))
    return decoded(sent[0])


def decoded(request: Request) -> dict[str, Any]:
    path = urlsplit(request.path)
    fields: dict[str, Any] = {"path": path.path, **dict(parse_qsl(path.query))}
    if "json" in request.headers.get("Content-Type", ""):
        return fields | json.loads(request.body)
    return fields | dict(parse_qsl(request.body.decode()))


def documented_fields() -> Iterator[Any]:
    for name, route in ROUTES.items():
        if route.request is None:
            continue
        for field, wire in REQUESTS[route.request.__name__].items():
            if field == "chief":
                for part, of_chief in REQUESTS["Chief"].items():
                    yield pytest.param(name, ("chief", part), of_chief.field, id=f"{name}-chief.{part}")
            else:
                yield pytest.param(name, (field,), wire.field, id=f"{name}-{field}")


@pytest.mark.parametrize(("name", "field", "provider_field"), list(documented_fields()))
def test_a_field_becomes_the_provider_field_that_is_documented(
    monkeypatch: pytest.MonkeyPatch, name: str, field: tuple[str, ...], provider_field: str | None
) -> None:
    route = ROUTES[name]
    assert route.request is not None
    other: Any = OTHER.get(f"{route.request.__name__}.{field[-1]}", OTHER.get(field[-1], "b"))
    changed = {**golden(name).fields, field[0]: {field[1]: other} if len(field) == 2 else other}
    before = request_on_the_wire(route, golden(name).fields, monkeypatch)
    after = request_on_the_wire(route, changed, monkeypatch)
    differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    # `expenses[0][amount]` is a field of the first of the `expenses[]`.
    differing = {re.sub(r"\[\d+\]\[\w+\]$", "[]", key) for key in differing}
    if provider_field and provider_field == IN_PATH.get(route.request.__name__):
        provider_field = "path"
    expected = set() if provider_field is None else {provider_field}
    # KolayBi has our marker in the description, which follows from the key and the day.
    assert differing - (DERIVED - expected) == expected


def test_every_field_of_a_request_is_among_them() -> None:
    for route in ROUTES.values():
        if route.request is not None:
            assert REQUESTS[route.request.__name__].keys() == route.request.model_fields.keys()


# ------------------------------------------------------------------ the money path stays as light as it was


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.is_order])
def test_an_operation_imports_nothing_of_inquiries_or_reference(name: str) -> None:
    folder = ROOT / "functions" / ROUTES[name].folder
    script = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT / 'shared')!r}]; import app; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "vezne.orders.execute" in printed
    unwanted = [
        module
        for module in printed
        if module in ("vezne.inquiry", "vezne.providers.undocumented_fields", "vezne.api.handle_operations")
        or module.endswith("_inquiries")
        or module.split(".")[0] in ("openapi", "reference", "yaml", "jinja2", "httpx", "jsonschema", "tests")
    ]
    assert unwanted == []
