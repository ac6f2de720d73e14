"""The routes and scopes as template.yaml deploys them, and the operation or inquiry behind each."""

import ast
import importlib.util
import inspect
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from samtranslator.yaml_helper import yaml_parse
from vezne.inquiry import Inquiry
from vezne.operation import Operation
from vezne.providers.haso.models import ExpensesResult
from vezne.providers.kolaybi.models import CollectionResult
from vezne.providers.models import RequestModel, ResultModel
from vezne.providers.paynet.models import CaptureResult
from vezne.providers.vakifbank.models import PaymentResult
from vezne.providers.walletgate.models import BillPaymentResult

ROOT = Path(__file__).parents[3]
RESULTS: dict[str, type[ResultModel]] = {
    "kolaybi.collect": CollectionResult,
    "vakifbank.pay": PaymentResult,
    "walletgate.pay_bill": BillPaymentResult,
    "haso.set_expenses": ExpensesResult,
    "paynet.capture": CaptureResult,
}
READ = "operations.read"


@dataclass(frozen=True)
class Route:
    """One route of the API."""

    name: str
    method: str
    path: str
    scopes: tuple[str, ...]
    summary: str
    description: str
    request: type[RequestModel] | None
    result: type[ResultModel] | None
    in_body: bool

    @property
    def is_order(self) -> bool:
        """Whether it moves money."""
        return self.name in RESULTS

    @property
    def provider(self) -> str:
        """The provider's part of the name."""
        return self.name.split(".")[0]


def routes() -> list[Route]:
    """Every route that asks for a token, in the template's order."""
    resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
    functions = [it["Properties"] for it in resources.values() if it["Type"] == "AWS::Serverless::Function"]
    return [
        _route(properties, event["Properties"])
        for properties in functions
        for event in properties["Events"].values()
        if event["Type"] == "Api" and event["Properties"]["Auth"]["Authorizer"] == "Tokens"
    ]


def _route(properties: dict[str, Any], event: dict[str, Any]) -> Route:
    app = ROOT / properties["CodeUri"] / "app.py"
    lines = (ast.get_docstring(ast.parse(app.read_text())) or "").split("\n\n")
    operation = served(load(app))
    name = properties["Description"]
    return Route(
        name=name,
        method=event["Method"],
        path=event["Path"],
        scopes=tuple(event["Auth"]["AuthorizationScopes"]),
        summary=" ".join(lines[0].split()).rstrip("."),
        description="\n\n".join(" ".join(part.split()) for part in lines[1:]),
        request=operation.request_model if operation else None,
        result=RESULTS.get(name) or getattr(operation, "result_model", None),
        in_body=name in RESULTS or bool(getattr(operation, "in_body", False)),
    )


def load(app: Path) -> ModuleType:
    """An app.py as a module of its own name: every one of them is called app."""
    spec = importlib.util.spec_from_file_location(f"documented_{app.parent.name}", app)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def served(module: ModuleType) -> type[Operation[Any, Any] | Inquiry[Any]] | None:
    """The operation or inquiry that a function serves; reading an operation is neither."""
    own = [kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == module.__name__]
    kinds = [kind for kind in own if issubclass(kind, (Operation, Inquiry))]
    return kinds[0] if kinds else None
