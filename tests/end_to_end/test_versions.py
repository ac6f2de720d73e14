"""A change in shared/ alone, or of a parameter alone, is deployed: the alias moves to it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from vezne_cli.build import build_and_deploy, inputs
from vezne_cli.catalogue import ORDERS, RECONCILERS
from vezne_cli.connection import STACK_NAME
from vezne_cli.processes import ROOT
from vezne_cli.stack import Stack, running_stack

# What writes to the table knows how long a record is kept.
KEEPERS = (*ORDERS, *(each.name for each in RECONCILERS.values()))
SENTENCE = "This client has no operation of that id."


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A separate stack, so that a new deployment does not disturb other tests."""
    with running_stack() as stack:
        yield stack


def copy_of_the_project(to: Path) -> Path:
    for path in inputs():
        copied = to / path.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copied)
    return to


def versions(stack: Stack) -> dict[str, str]:
    functions = stack.aws("lambda")
    return {
        operation: functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        for operation, name in stack.functions.items()
    }


def deploy(stack: Stack, root: Path, directory: Path, **changed: str) -> None:
    deployed = stack.aws("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    parameters = {it["ParameterKey"]: it["ParameterValue"] for it in deployed["Parameters"] if it["ParameterValue"]}
    directory.mkdir()
    build_and_deploy(stack.aws_endpoint_url, {**parameters, **changed}, directory, lambda _: None, root)


def test_a_change_in_shared_alone_reaches_every_alias(own_stack: Stack, tmp_path: Path) -> None:
    root = copy_of_the_project(tmp_path / "project")
    before = versions(own_stack)
    deploy(own_stack, root, tmp_path / "unchanged")
    assert versions(own_stack) == before

    code = root / "shared" / "vezne" / "api" / "handle_operations.py"
    assert code.read_text().count(SENTENCE) == 1
    code.write_text(code.read_text().replace(SENTENCE, "Changed in the layer."))
    deploy(own_stack, root, tmp_path / "changed")

    after = versions(own_stack)
    assert {operation for operation in before if after[operation] == before[operation]} == set()
    answer = own_stack.request("GET", f"/operations/op_{'a' * 26}", token=own_stack.token())
    assert (answer.status_code, answer.json()["detail"]) == (404, "Changed in the layer.")


def test_a_changed_parameter_reaches_the_alias_of_each_function_that_has_it(own_stack: Stack, tmp_path: Path) -> None:
    deploy(own_stack, ROOT, tmp_path / "as it is")
    functions, before = own_stack.aws("lambda"), versions(own_stack)
    deploy(own_stack, ROOT, tmp_path / "kept", KeptDays="100")
    after = versions(own_stack)
    assert {operation for operation in before if after[operation] != before[operation]} == set(KEEPERS)
    for operation in KEEPERS:
        name = own_stack.functions[operation]
        live = functions.get_function_configuration(FunctionName=name, Qualifier="live")
        assert live["Environment"]["Variables"]["KEPT_DAYS"] == "100"
        assert "kept 100 days" in live["Description"]
        # The previous version still exists, to go back to.
        left = functions.get_function_configuration(FunctionName=name, Qualifier=before[operation])
        assert left["Environment"]["Variables"]["KEPT_DAYS"] == "90"

    deploy(own_stack, ROOT, tmp_path / "memory", MemorySize="640")
    for operation, name in own_stack.functions.items():
        live = functions.get_function_configuration(FunctionName=name, Qualifier="live")
        assert (live["MemorySize"], live["Version"] != after[operation]) == (640, True), operation


def test_the_first_client_can_be_removed(own_stack: Stack, tmp_path: Path) -> None:
    assert own_stack.token()
    deploy(own_stack, ROOT, tmp_path / "without", FirstClient="false")
    clients = own_stack.aws("cognito-idp").list_user_pool_clients(UserPoolId=own_stack.outputs["UserPoolId"])
    assert own_stack.first_client.id not in {client["ClientId"] for client in clients["UserPoolClients"]}
    with pytest.raises(httpx.HTTPStatusError):
        own_stack.token()
    (deployed,) = own_stack.aws("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    assert "ClientId" not in {output["OutputKey"] for output in deployed["Outputs"]}
    for operation in (*ORDERS, "operations.read"):
        live = own_stack.aws("lambda").get_function_configuration(
            FunctionName=own_stack.functions[operation], Qualifier="live"
        )
        assert live["Environment"]["Variables"]["FIRST_CLIENT_ID"] == "", operation
