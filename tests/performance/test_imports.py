"""The modules that each function loads when it starts, by name. This protects the cold start without any timing.

If you add a package or a module to a function's start, first measure its cost with `make bench`. Then add it here.
"""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from vezne_cli.catalogue import FUNCTIONS, INQUIRIES, ORDERS, PROVIDERS, READ, RECONCILERS, REFERENCE

from tests.performance.installation import RUNTIME, link

ROOT = Path(__file__).parents[2]

# boto3's lower half with its dependencies, and the logger and metrics of Powertools.
READING = {
    "aws_lambda_powertools", "botocore", "certifi", "dateutil", "jmespath", "six", "typing_extensions", "urllib3",
}  # fmt: skip
# In addition, the packages that check a request and call a provider.
SENDING = READING | {
    "annotated_types", "idna", "pydantic", "pydantic_core", "requests", "simplejson",
    "typing_inspection",
}  # fmt: skip
# Provider -> further modules of its orders: check digits of IBAN, card number, TCKN and VKN.
MORE = {"vakifbank": {"stdnum"}}
OPERATIONS = {order.folder: SENDING | MORE.get(order.provider, set()) for order in ORDERS.values()}
# Undocumented fields of an answer are passed on. These checks remove personal data from them.
ASKING = {inquiry.folder: SENDING | {"stdnum"} for inquiry in INQUIRIES.values()}
# Its statement gives results of operations, by their models.
RECONCILING = {each.folder: SENDING | MORE.get(each.provider, set()) for each in RECONCILERS.values()}
# The reference page consists of files only.
PACKAGES = {READ.folder: READING, REFERENCE.folder: set[str](), **OPERATIONS, **ASKING, **RECONCILING}
WITH_LAYER = PACKAGES.keys() - {REFERENCE.folder}

READING_MODULES = {
    "api", "api.handle_operations", "api.responses", "orders", "orders.envelope", "orders.guards", "orders.own",
    "orders.record", "orders.store", "orders.transitions", "api.problems", "platform", "platform.aws",
    "platform.masking", "platform.money",
    "platform.startup", "platform.telemetry", "platform.tls",
}  # fmt: skip
ASKING_MODULES = {
    "api", "api.requests", "api.responses", "orders", "orders.envelope", "orders.outcome", "orders.record", "platform",
    "platform.aws",
    "platform.masking", "platform.money", "platform.signing", "platform.startup", "platform.telemetry",
    "api.problems", "platform.timers", "platform.tls", "providers", "providers.client", "providers.credentials",
    "providers.http", "providers.models",
}  # fmt: skip
SENDING_MODULES = ASKING_MODULES | {
    "api.handle_order", "api.label", "operation", "orders.execute", "orders.finalise", "orders.guards",
    "orders.look_up", "orders.own", "orders.store", "orders.transitions", "orders.breaker", "orders.breaker_item",
}  # fmt: skip
# The table keeps the state of VakıfBank's logins, and its functions share their token.
LOGIN_MODULES = {
    "providers.login_lock", "providers.shared_token", "orders.store", "orders.guards", "orders.own",
    "orders.transitions",
}  # fmt: skip
# The module that judges the rows of a look-up.
EVIDENCE_MODULES = {"orders.evidence"}
# Modules that an extension makes during its import, without their own files.
MADE_BY_EXTENSIONS = ("_cython_", "cython_runtime", "_sysconfigdata_")
LIST_MODULES = """
import json, sys
before = set(sys.modules)
import app
print(json.dumps(sorted(set(sys.modules) - before - {"app"})))
"""


def layer() -> dict[str, set[str]]:
    """The top-level modules of each distribution in the layer."""
    names = re.findall(r"^([a-z][a-z0-9-]*)==", (ROOT / "shared" / "requirements.txt").read_text(), re.MULTILINE)
    tops: dict[str, set[str]] = {}
    for name in names:
        parts = {path.parts[0] for path in distribution(name).files or ()}
        tops[name] = {part for part in parts if not part.endswith((".dist-info", "..", ".data", "__pycache__"))}
    return tops


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lambda's own packages and those of the layer. No other package counts, even if it is installed here."""
    folder = tmp_path_factory.mktemp("lambda") / "packages"
    link(folder, tuple({*RUNTIME, *(top for tops in layer().values() for top in tops)}))
    return folder


def imported(function: str, packages: Path) -> set[str]:
    """All modules that are loaded after Lambda has started the function."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "functions" / function), str(ROOT / "shared"), str(packages)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "TABLE_NAME": "records",
        "POWERTOOLS_SERVICE_NAME": "vezne",
        "POWERTOOLS_METRICS_NAMESPACE": "Vezne",
    }
    done = subprocess.run(
        [sys.executable, "-s", "-S", "-c", LIST_MODULES], env=environment, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def modules(packages: Path) -> dict[str, set[str]]:
    return {function: imported(function, packages) for function in PACKAGES}


def test_some_function_loads_each_package_of_the_layer(modules: dict[str, set[str]]) -> None:
    loaded = {name.split(".")[0] for listed in modules.values() for name in listed}
    # Loaded for an order in a currency other than lira.
    loaded.add("iso4217")
    unused = {name for name, tops in layer().items() if not loaded & {top.removesuffix(".py") for top in tops}}
    assert unused == set()


def test_every_function_is_listed() -> None:
    assert {function.folder for function in FUNCTIONS.values()} == PACKAGES.keys()


@pytest.mark.parametrize("function", PACKAGES)
def test_a_function_loads_these_packages_and_no_other(function: str, modules: dict[str, set[str]]) -> None:
    packages = {name.split(".")[0] for name in modules[function]} - set(sys.stdlib_module_names) - {"vezne"}
    assert {name for name in packages if not name.startswith(MADE_BY_EXTENSIONS)} == PACKAGES[function]


def ours(modules: set[str]) -> set[str]:
    """The layer's modules, except those of the function's own provider."""
    return {name.removeprefix("vezne.") for name in modules if name.startswith("vezne.")}


@pytest.mark.parametrize("function", PACKAGES)
def test_a_function_loads_its_own_provider_only(function: str, modules: dict[str, set[str]]) -> None:
    provider = function.split("_", maxsplit=1)[0]
    loaded = {name.split(".")[1] for name in ours(modules[function]) if name.startswith("providers.")}
    assert loaded & PROVIDERS.keys() <= {provider}


def test_the_reference_page_loads_nothing_of_the_layer(modules: dict[str, set[str]]) -> None:
    assert ours(modules["reference"]) == set()


def test_reading_loads_nothing_that_sends(modules: dict[str, set[str]]) -> None:
    assert ours(modules["get_operation"]) == READING_MODULES


@pytest.mark.parametrize("function", OPERATIONS)
def test_an_operation_loads_nothing_of_the_inquiry_functions(function: str, modules: dict[str, set[str]]) -> None:
    provider = function.split("_", maxsplit=1)[0]
    loaded = ours(modules[function])
    own = {name for name in loaded if f"{name}.".startswith(f"providers.{provider}.")}
    assert not own & {f"providers.{provider}.inquiry_models", f"providers.{provider}.statement"}
    logging_in = LOGIN_MODULES if PROVIDERS[provider].locks_logins else set()
    assert SENDING_MODULES <= loaded - own <= SENDING_MODULES | EVIDENCE_MODULES | logging_in


@pytest.mark.parametrize("function", ASKING)
def test_an_inquiry_loads_nothing_that_sends_an_order(function: str, modules: dict[str, set[str]]) -> None:
    assert not ours(modules[function]) & {
        "api.handle_order",
        "operation",
        "orders.execute",
        "orders.finalise",
        "orders.look_up",
    }


@pytest.mark.parametrize("function", RECONCILING)
def test_a_reconciliation_loads_nothing_that_sends_an_order(function: str, modules: dict[str, set[str]]) -> None:
    assert not ours(modules[function]) & {"api.handle_order", "orders.execute"}


@pytest.mark.parametrize("function", sorted(WITH_LAYER))
def test_powertools_is_loaded_for_logs_and_metrics_only(function: str, modules: dict[str, set[str]]) -> None:
    parts = {name.split(".")[1] for name in modules[function] if name.startswith("aws_lambda_powertools.")}
    assert parts == {
        "exceptions", "logging", "metrics", "package_logger", "shared", "tracing", "utilities", "warnings",
    }  # fmt: skip
    used = {name.split(".")[2] for name in modules[function] if name.startswith("aws_lambda_powertools.utilities.")}
    assert used == {"jmespath_utils"}


@pytest.mark.parametrize("function", PACKAGES)
def test_what_is_slow_and_not_needed_at_the_start_is_not_loaded(function: str, modules: dict[str, set[str]]) -> None:
    assert not modules[function] & {
        "boto3", "s3transfer", "multiprocessing",  # boto3's upper half
        "iso4217",  # only for a currency other than lira
        "snapshot_restore_py",  # only where there is a snapshot
        "charset_normalizer",  # in no layer; requests loads it where there is one
        "asyncio", "sqlite3", "unittest", "aws_xray_sdk", "cryptography", "pydantic.v1",
    }  # fmt: skip
