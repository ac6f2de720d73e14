"""template.yaml as CloudFormation gets it after SAM, and short ways to its parts."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from vezne_cli import catalogue
from vezne_cli.template import Template, expanded

ROOT = Path(__file__).parents[2]
# Logical name of each function: its operation, method and route.
ORDERS = {each.logical_name: (each.name, each.method, each.path) for each in catalogue.ORDERS.values()}
ROUTES = {each.logical_name: (each.name, each.method, each.path) for each in catalogue.ROUTES.values()}
INQUIRIES = [
    inquiry.logical_name for provider in catalogue.PROVIDERS.values() for inquiry in provider.inquiries.values()
]
# Logical name of each function that reads a provider's list: its name.
RECONCILERS = {each.logical_name: each.name for each in catalogue.RECONCILERS.values()}
FUNCTIONS = [*ROUTES, *RECONCILERS, "Reference"]
# Documentation, open to everybody.
PUBLIC = ["/reference", "/reference/{file}", "/openapi.json", "/problems", "/problems/{slug}"]


def reconcilers(provider: str) -> list[catalogue.Function]:
    """The function that reads this provider's list, if there is one."""
    return [each for name, each in catalogue.RECONCILERS.items() if name == provider]


# Logical name of each function that calls a provider: the secret it may read.
SECRETS = {
    function.logical_name: provider.secret
    for provider in catalogue.PROVIDERS.values()
    for function in (*provider.orders.values(), *provider.inquiries.values(), *reconcilers(provider.name))
}
# Inquiries that use the table, only for the memory of logins.
LOGIN_RECORDERS = [
    inquiry.logical_name
    for provider in catalogue.PROVIDERS.values()
    if provider.locks_logins
    for inquiry in provider.inquiries.values()
]
# Functions that share their provider's token: the secret it is in.
SHARED_TOKENS = {
    function.logical_name: provider.token_secret
    for provider in catalogue.PROVIDERS.values()
    if provider.token_secret
    for function in (*provider.orders.values(), *provider.inquiries.values(), *reconcilers(provider.name))
}
# All functions that use the table.
RECORDERS = [*ORDERS, catalogue.READ.logical_name, *LOGIN_RECORDERS, *RECONCILERS]
URLS = catalogue.URLS


class NoManagedPolicies:
    """SAM asks for the account's managed policies. This loader names none."""

    def load(self) -> dict[str, str]:
        return {}


def transformed(template: Template, **parameters: str) -> Template:
    """The template after CloudFormation: loops and SAM expanded, an upload in the place of local folders."""
    template = expanded(template)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for folder in ("CodeUri", "ContentUri"):
            if isinstance(properties.get(folder), str):
                properties[folder] = {"Bucket": "artifacts", "Key": properties[folder]}
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    made: Template = transform(template, {"HasoUrl": "https://haso.example", **parameters}, NoManagedPolicies())
    return made


def of_type(system: Template, resource_type: str) -> dict[str, Any]:
    return {name: it for name, it in system["Resources"].items() if it["Type"] == resource_type}


def properties(system: Template, name: str) -> dict[str, Any]:
    made: dict[str, Any] = system["Resources"][name]["Properties"]
    return made


def statements(system: Template, role: str) -> list[dict[str, Any]]:
    return [
        {**statement, "Action": as_list(statement["Action"]), "Resource": as_list(statement["Resource"])}
        for policy in [*properties(system, role).get("Policies", []), *_attached(system, role)]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def _attached(system: Template, role: str) -> list[dict[str, Any]]:
    """The policies that are resources of their own, for several roles."""
    policies = [it["Properties"] for it in of_type(system, "AWS::IAM::Policy").values()]
    return [policy for policy in policies if {"Ref": role} in policy["Roles"]]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def attribute(name: str, attribute_name: str = "Arn") -> dict[str, Any]:
    """`!GetAtt` of a resource."""
    return {"Fn::GetAtt": [name, attribute_name]}


def resolved(system: Template, value: Any, parameters: Mapping[str, str]) -> Any:
    """The value with the parameters filled in and the conditions decided, as CloudFormation does it.

    A reference to what only a running stack knows (an ARN, a physical name) stays unchanged.
    """

    def decided(name: str) -> bool:
        return bool(resolved(system, system["Conditions"][name], parameters))

    def of(inner: Any) -> Any:
        return resolved(system, inner, parameters)

    functions: dict[str, Callable[[Any], Any]] = {
        "Ref": lambda name: str(parameters.get(name, f"${{{name}}}")),
        "Fn::Sub": lambda it: _substituted(*(it if isinstance(it, list) else (it, {})), of),
        "Fn::If": lambda it: of(it[1] if decided(it[0]) else it[2]),
        "Fn::Equals": lambda it: of(it[0]) == of(it[1]),
        "Fn::Not": lambda it: not of(it[0]),
        "Fn::And": lambda it: all(of(one) for one in it),
    }
    if isinstance(value, list):
        return [of(one) for one in value]
    if not isinstance(value, dict):
        return value
    name, argument = next(iter(value.items())) if len(value) == 1 else ("", None)
    return functions[name](argument) if name in functions else {key: of(one) for key, one in value.items()}


def _substituted(text: str, variables: dict[str, Any], of: Callable[[Any], Any]) -> str:
    known = {name: of(one) for name, one in variables.items()}
    return re.sub(r"\$\{([\w.:]+)\}", lambda it: known[it[1]] if it[1] in known else of({"Ref": it[1]}), text)


def defaults(template: Template) -> dict[str, str]:
    """Each parameter's default. HASO's address has none, so an example is used."""
    declared = {"HasoUrl": {"Default": "https://haso.example"}}
    return {name: str({**it, **declared.get(name, {})}["Default"]) for name, it in template["Parameters"].items()}
