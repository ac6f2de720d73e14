"""What a deployment changes reaches the alias: a version is published for every function that runs differently."""

from typing import Any

import pytest
from vezne_cli.template import Template, source

from tests.support.template import FUNCTIONS, defaults, of_type, properties, resolved, transformed

SOURCE = source()
DECLARED = SOURCE["Parameters"]
DEFAULTS = defaults(SOURCE)


@pytest.fixture(scope="module")
def system() -> Template:
    return transformed(SOURCE)


def version_of(system: Template, function: str) -> dict[str, Any]:
    (alias,) = [
        it
        for it in of_type(system, "AWS::Lambda::Alias").values()
        if it["Properties"]["FunctionName"] == {"Ref": function}
    ]
    version: dict[str, Any] = system["Resources"][alias["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]]
    return version


def runs(system: Template, function: str, parameters: dict[str, str]) -> Any:
    """All that decides how the function runs, its layer included. A version does not have the concurrency's limit."""
    own = {name: it for name, it in properties(system, function).items() if name != "ReservedConcurrentExecutions"}
    (layer,) = own["Layers"]
    return resolved(system, [own, properties(system, layer["Ref"])], parameters)


def description(system: Template, function: str, parameters: dict[str, str]) -> str:
    text: str = resolved(system, version_of(system, function)["Properties"]["Description"], parameters)
    return text


def another(name: str, value: str) -> str:
    parameter = DECLARED[name]
    if "AllowedValues" in parameter:
        # The last one: "live" among the stages.
        return [str(it) for it in parameter["AllowedValues"] if str(it) != value][-1]
    if parameter["Type"] == "Number":
        return str(int(value) + 1)
    return "https://another.example" if name.endswith("Url") else "7"


@pytest.mark.parametrize("base", [{}, {"FirstClient": "false"}, {"StageName": "live"}], ids=str)
@pytest.mark.parametrize("parameter", DECLARED)
def test_a_parameter_publishes_just_the_functions_that_it_decides_about(
    system: Template, parameter: str, base: dict[str, str]
) -> None:
    """SAM sees the layer and the code, but not what a parameter is.

    A version's description can only be replaced with the version. Another description of a function that did not change
    would be an error of Lambda's, which publishes nothing twice.
    """
    before = {**DEFAULTS, **base}
    after = {**before, parameter: another(parameter, before[parameter])}
    changed = {name for name in FUNCTIONS if runs(system, name, before) != runs(system, name, after)}
    published = {name for name in FUNCTIONS if description(system, name, before) != description(system, name, after)}
    assert published == changed


def test_the_parameters_that_decide_about_functions_are_found(system: Template) -> None:
    """Or the test above would prove nothing."""
    before = runs(system, "VakifbankPay", DEFAULTS)
    deciding = {
        name
        for name, value in DEFAULTS.items()
        if runs(system, "VakifbankPay", {**DEFAULTS, name: another(name, value)}) != before
    }
    assert deciding == {
        "Architecture", "CardPayments", "FirstClient", "KeptDays", "LogLevel", "MemorySize", "SnapStart", "StageName",
        "VakifbankUrl",
    }  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_description_has_room_for_the_longest_parameters(system: Template, function: str) -> None:
    """Lambda takes 256 characters; a client's id has 26."""
    longest = {"Client": "x" * 26}
    for name, it in DECLARED.items():
        if it["Type"] == "Number":
            longest[name] = str(it.get("MaxValue", "9" * 12))
        elif "AllowedValues" in it:
            longest[name] = max(map(str, it["AllowedValues"]), key=len)
        else:
            longest[name] = "x" * it.get("MaxLength", 1000)
    longest["StageName"] = "test"
    assert len(description(system, function, longest)) <= 256


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_version_that_was_replaced_is_kept(system: Template, function: str) -> None:
    """To go back to by hand, and for calls that are on their way."""
    version = version_of(system, function)
    assert version["DeletionPolicy"] == version["UpdateReplacePolicy"] == "Retain"
