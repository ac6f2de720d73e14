"""What the project has to offer, read from its declarations: every function of functions/, every provider.

This is the only list of operations and the only list of providers. A declaration is the class in functions/*/app.py,
and CLIENT in shared/vezne/providers/*/client.py; whatever needs a list of them asks here.
"""

import ast
import importlib
import importlib.util
import inspect
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from vezne import providers
from vezne.inquiry import Inquiry
from vezne.operation import Operation
from vezne.providers.client import Client
from vezne.providers.credentials import SecretModel
from vezne.providers.models import RequestModel, ResultModel
from vezne.providers.statement import Statement

from .processes import ROOT

_INSTALLED = Path(__file__).with_name("functions")
# Of the project's folder; where the package was installed without it, the copy that was installed beside this file.
FUNCTIONS_FOLDER = _INSTALLED if _INSTALLED.is_dir() else ROOT / "functions"

# The two functions of no provider: reading an operation, and the public reference, which has no scope.
_OTHERS = {"get_operation": ("operations.read", "GET /operations/{operation_id}"), "reference": ("reference", "")}


@dataclass(frozen=True)
class Function:
    """One folder of functions/. `name` is its scope, and what metrics and `.local/stack.json` call it."""

    folder: str
    name: str
    route: str
    declaration: type[Operation[Any, Any, Any]] | type[Inquiry[Any, Any]] | None
    # Of its docstring: the first paragraph, and the others.
    summary: str
    description: str

    @property
    def module(self) -> str:
        """What Python calls its app.py."""
        return f"functions.{self.folder}.app"

    @property
    def logical_name(self) -> str:
        """What the template calls it."""
        return capitalized(self.folder)

    @property
    def output(self) -> str:
        """The stack's output that holds the function's name."""
        return f"{self.logical_name}Function"

    @property
    def provider(self) -> str:
        """The provider's part of the name."""
        return self.name.partition(".")[0]

    @property
    def scope(self) -> str:
        """What a token must hold to call it."""
        return f"vezne/{self.name}"

    @property
    def request(self) -> type[RequestModel] | None:
        """The model of what is sent to it."""
        return self.declaration.request_model if self.declaration else None

    @property
    def result(self) -> type[ResultModel] | None:
        """The model of what it gives."""
        return self.declaration.result_model if self.declaration else None

    @property
    def is_order(self) -> bool:
        """Whether it moves money."""
        return isinstance(self, OrderFunction)

    @property
    def has_guards(self) -> bool:
        """Whether something besides the idempotency key keeps a second order away."""
        return isinstance(self, OrderFunction) and self.declaration.guards is not Operation.guards

    @property
    def in_body(self) -> bool:
        """Whether the request is a JSON body; else it is the query."""
        return self.method == "post"

    @property
    def method(self) -> str:
        """In lower case, as template and OpenAPI have it."""
        return self.route.partition(" ")[0].lower()

    @property
    def path(self) -> str:
        """With `{parameters}`."""
        return self.route.partition(" ")[2]


@dataclass(frozen=True)
class OrderFunction(Function):
    """A function that moves money."""

    declaration: type[Operation[Any, Any, Any]]


@dataclass(frozen=True)
class InquiryFunction(Function):
    """A function that asks."""

    declaration: type[Inquiry[Any, Any]]


@dataclass(frozen=True)
class ReconcileFunction(Function):
    """A function that compares ours with a provider's list, each night. It has no route."""

    statement: Statement


@dataclass(frozen=True)
class Provider:
    """One folder of shared/vezne/providers/."""

    name: str
    module: ModuleType
    orders: dict[str, OrderFunction]
    inquiries: dict[str, InquiryFunction]

    @property
    def client(self) -> Client[Any]:
        """Where it is, and how to prove who is calling."""
        return self.module.CLIENT  # type: ignore[no-any-return]

    @property
    def credentials(self) -> type[SecretModel]:
        """The fields of its secret."""
        return self.client.credential_cache.model

    @property
    def secret(self) -> str:
        """What the template calls its secret."""
        return f"{self.name.capitalize()}Secret"

    @property
    def secret_output(self) -> str:
        """The stack's output that holds the secret's ARN."""
        return f"{self.secret}Arn"

    @property
    def token_secret(self) -> str:
        """What the template calls the secret with the token that its functions share; empty if they share none."""
        return f"{self.name.capitalize()}TokenSecret" if self.client.credential_cache.shares_token else ""

    @property
    def urls(self) -> dict[str, str]:
        """Environment variable that puts another server in its place -> the template's parameter."""
        return {variable: capitalized(variable.lower()) for variable in self.client.url_variables}

    @property
    def locks_logins(self) -> bool:
        """Whether a rejected secret is remembered in the table, so that no function tries it again."""
        return hasattr(self.module, "LOGINS")


def capitalized(words: str) -> str:
    """`reverse_capture` as classes and the template write it: `ReverseCapture`."""
    return "".join(word.capitalize() for word in words.split("_"))


def read_function(app: Path) -> Function:
    """The function of one app.py. Raises ValueError if it declares nothing or too much, or not what its folder says."""
    folder = app.parent.name
    summary, _, rest = (ast.get_docstring(ast.parse(app.read_text())) or "").partition("\n\n")
    texts = " ".join(summary.split()).rstrip("."), "\n\n".join(" ".join(part.split()) for part in rest.split("\n\n"))
    if folder in _OTHERS:
        return Function(folder, *_OTHERS[folder], None, *texts)
    module = load(app)
    if statement := _statement(module):
        return ReconcileFunction(folder, folder.replace("_", "."), "", None, *texts, statement)
    declared = _declared(module)
    if len(declared) != 1:
        raise ValueError(f"functions/{folder}/app.py must declare one Operation or one Inquiry, not {len(declared)}")
    (kind,) = declared
    if kind.name.replace(".", "_") != folder:
        raise ValueError(f"functions/{folder}/app.py declares {kind.name}: folder and name must be the same words")
    if issubclass(kind, Operation):
        return OrderFunction(folder, kind.name, kind.route, kind, *texts)
    return InquiryFunction(folder, kind.name, kind.route, kind, *texts)


def load(app: Path) -> ModuleType:
    """An app.py as a module of its own name: functions/ need not be where Python looks for modules."""
    spec = importlib.util.spec_from_file_location(f"catalogue_{app.parent.name}", app)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _statement(module: ModuleType) -> Statement | None:
    kinds = [kind for kind in vars(module).values() if inspect.isclass(kind) and issubclass(kind, Statement)]
    return kinds[0]() if kinds else None


def _declared(module: ModuleType) -> list[type[Operation[Any, Any, Any]] | type[Inquiry[Any, Any]]]:
    own = [kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == module.__name__]
    return [kind for kind in own if issubclass(kind, (Operation, Inquiry))]


def _read_provider(name: str) -> Provider:
    return Provider(
        name,
        importlib.import_module(f"vezne.providers.{name}.client"),
        {each.name: each for each in ORDERS.values() if each.provider == name},
        {each.name: each for each in INQUIRIES.values() if each.provider == name},
    )


# All of functions/, by name.
FUNCTIONS = {each.name: each for each in map(read_function, sorted(FUNCTIONS_FOLDER.glob("*/app.py")))}
ORDERS = {name: each for name, each in FUNCTIONS.items() if isinstance(each, OrderFunction)}
INQUIRIES = {name: each for name, each in FUNCTIONS.items() if isinstance(each, InquiryFunction)}
READ = FUNCTIONS["operations.read"]
REFERENCE = FUNCTIONS["reference"]
# What asks for a token, each with a scope of its name.
ROUTES = {name: each for name, each in FUNCTIONS.items() if each.route}
# What a token must hold to read reports of reconciliations. The function that reads operations answers it.
READ_REPORTS = "reconciliations.read"
SCOPES = (*ROUTES, READ_REPORTS)
RECONCILERS = {each.provider: each for each in FUNCTIONS.values() if isinstance(each, ReconcileFunction)}
PROVIDERS = {
    name: _read_provider(name)
    for name in sorted(file.parent.name for file in Path(providers.__path__[0]).glob("*/client.py"))
}
# Environment variable that puts another server in a provider's place -> the template's parameter.
URLS = {variable: parameter for provider in PROVIDERS.values() for variable, parameter in provider.urls.items()}
