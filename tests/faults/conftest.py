"""One MiniStack, one sandbox and one process pool for all tests of this folder."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from vezne.orders.store import Store
from vezne_cli.processes import run_directory
from vezne_cli.stack import Aws

from tests.end_to_end.lacking import lacking
from tests.faults.engines import EngineStore
from tests.faults.environment import Environment, Function, create_table, running_environment
from tests.faults.reconciled import reconciled_functions
from tests.support.dynamodb_local import dynamodb_local, running_dynamodb
from tests.support.seed import SEED


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of every random choice. VEZNE_FAULTS_SEED repeats a run."""
    return SEED


@pytest.fixture(scope="session")
def environment() -> Iterator[Environment]:
    with running_environment() as running:
        yield running


@pytest.fixture(scope="session")
def second_engine() -> Iterator[Aws]:
    """DynamoDB Local. Where it cannot run, its tests are skipped; they fail if .ci/run promised it."""
    folder = dynamodb_local()
    if isinstance(folder, str):
        lacking("DYNAMODB_LOCAL", folder)
    with run_directory(lambda _: None) as directory, running_dynamodb(folder, directory / "dynamodb.log") as url:
        yield Aws(url)


def _on_new_table(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], float]], Store]:
    name = f"records-{uuid.uuid4().hex[:8]}"
    create_table(aws, name)
    monkeypatch.setenv("TABLE_NAME", name)
    return lambda clock: EngineStore(aws("dynamodb"), clock)


@pytest.fixture
def ministack_store(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], float]], Store]:
    return _on_new_table(environment.aws, monkeypatch)


@pytest.fixture
def dynamodb_local_store(second_engine: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], float]], Store]:
    return _on_new_table(second_engine, monkeypatch)


@pytest.fixture
def function(environment: Environment, request: pytest.FixtureRequest) -> Function:
    """The function of the operation that a test names, with an empty table and new sandboxes."""
    environment.sandbox.reset()
    return environment.function(request.param)


@pytest.fixture
def unknown(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Iterator[Counter[str]]:
    """What became of unknown outcomes in this drill. tests/conftest.py adds them up, and prints them."""
    found = Counter[str]()
    yield found
    drill = request.path.stem.removeprefix("test_").replace("_", " ")
    record_property("unknown", {"drill": drill, "found": dict(found)})


@pytest.fixture
def reconciled_at_the_end(function: Function, unknown: Counter[str]) -> Iterator[None]:
    """After a test with one function, its provider's own list must agree with every order of it."""
    yield
    function.environment.sandbox.remove_rules()
    unknown.update(reconciled_functions([function]))


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Iterator[list[str]]:
    """Lines to print at the end of the run. tests/conftest.py collects them from all processes."""
    lines: list[str] = []
    yield lines
    record_property("faults", lines)
