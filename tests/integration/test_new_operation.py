"""`make new-operation`, on a copy of the tree: the skeleton fails its contract, and a made-up operation passes it.

The tests of the template, of the golden events, of the provider's list and of the path run there, too: no other file
had to change.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse
from vezne.orders.record import operation_tag
from vezne_cli.catalogue import INQUIRIES, ORDERS, PROVIDERS, Function
from vezne_cli.new_operation import NotMadeError, new_operation
from vezne_cli.processes import ROOT
from vezne_cli.template_rows import with_rows

NAME, FOLDER = "haso.make_up", "haso_make_up"
# What is filled in: file -> the skeleton's text -> what a person would write.
FILLED = {
    f"functions/{FOLDER}/app.py": {
        "import Deadline, ProviderResponse, Request\n": "import Deadline, ProviderResponse, Request, json_request\n",
        "Inconclusive, Outcome, Unknown\n": "Inconclusive, Outcome, Succeeded, Unknown\n",
        "        raise NotImplementedError\n": (
            '        return json_request("/made-up", {"order_no": order.request.order_no}, {})\n'
        ),
        '        return Unknown(f"http-{answer.status}")\n': (
            '        if answer.status == 200 and answer.json() == {"done": order.request.order_no}:\n'
            "            return Succeeded(MakeUpResult(order_no=order.request.order_no).public())\n"
            '        return Unknown(f"http-{answer.status}")\n'
        ),
    },
    f"tests/support/operations/{FOLDER}.py": {
        "success=lambda _call: json_reply({})": 'success=lambda call: json_reply({"done": call.json()["order_no"]})',
        "POST /not-written-yet/make_up": "POST /made-up",
    },
    f"tests/contract/test_{FOLDER}.py": {
        "import pytest\n": (
            "from tests.support.harness import Harness\n"
            f"from tests.support.operations.{FOLDER} import EXAMPLE\n"
            "from tests.support.provider_server import json_reply\n"
            "from tests.support.reader import Reader\n"
            "from tests.support.wire import answered, the_call\n"
        ),
        "    pytest.fail(NOT_WRITTEN)\n": "    pass\n",
    },
    # Step 9 of functions/README.md.
    "shared/vezne/providers/haso/statement.py": {
        'operations = ("haso.set_expenses",)': f'operations = ("haso.set_expenses", "{NAME}")',
    },
    "template.yaml": {
        '"reconciliation#haso#*"': f'"op_{operation_tag(NAME)}*", "guard#{NAME}#*", "reconciliation#haso#*"',
    },
}
CONTRACT = """

def test_the_made_up_wire(harness: Harness) -> None:
    answered(harness, EXAMPLE, EXAMPLE.success)
    assert the_call(harness, EXAMPLE).json() == {"order_no": "R-1"}


def test_the_made_up_verdicts() -> None:
    assert Reader(EXAMPLE).verdict(EXAMPLE.success) == "Succeeded"


def test_another_answer_proves_nothing() -> None:
    assert Reader(EXAMPLE).verdict(json_reply({"done": "R-3"})) == "Unknown"
"""
LISTED = "tests/unit/test_listed_operations.py"
HELD_BY = (LISTED, "tests/unit/test_template.py", "tests/unit/test_template_access.py",
           "tests/unit/test_one_declaration.py", "tests/integration/test_golden_events.py")  # fmt: skip


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(root / "shared")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def pytest_in(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree, without what is built."""
    for name in ("template.yaml", "pyproject.toml", "samconfig.toml", "Makefile", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("functions", "shared", "events", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    return tmp_path


def test_a_made_up_operation_needs_no_other_file(copy: Path) -> None:
    made = run(copy, "-m", "vezne_cli", "new-operation", NAME, "--summary", "Make it up, whole")
    assert made.returncode == 0, made.stderr
    skeleton = pytest_in(copy, f"tests/contract/test_{FOLDER}.py")
    assert "2 failed" in skeleton.stdout, skeleton.stdout
    listed = pytest_in(copy, LISTED, "-k", NAME)
    assert f"No list says what became of {NAME}. Name it in `operations`" in listed.stdout, listed.stdout
    for path, changes in FILLED.items():
        text = (copy / path).read_text()
        for old, new in changes.items():
            assert old in text, f"{path}: {old}"
            text = text.replace(old, new)
        (copy / path).write_text(text + (CONTRACT if "/contract/" in path else ""))
    held = pytest_in(
        copy, f"tests/contract/test_{FOLDER}.py", *HELD_BY, "-k", f"{NAME} or {FOLDER} or test_template or declar"
    )
    assert held.returncode == 0, held.stdout[-5000:]
    assert f"[{NAME}]" in pytest_in(copy, "tests/integration/test_second_request.py", "--collect-only").stdout


@pytest.mark.parametrize(
    ("name", "route", "why"),
    [
        ("paynet.capture", "", "is there already"),
        ("paynet", "", "<provider>.<verb>"),
        ("paynet.Reverse", "", "<provider>.<verb>"),
        ("paynett.reverse", "", "did you mean paynet?"),
        ("paynet.void", "POST /paynet/captures", "is the route of another function"),
        ("paynet.void", "GET /elsewhere", "A route is"),
        ("paynet.void", "POST paynet", "A route is"),
    ],
)
def test_a_name_that_cannot_be_made_writes_nothing(tmp_path: Path, name: str, route: str, why: str) -> None:
    with pytest.raises(NotMadeError, match=why):
        new_operation(name, route=route, root=tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_file_is_overwritten(copy: Path) -> None:
    standing = copy / "functions" / FOLDER / "app.py"
    standing.parent.mkdir()
    standing.write_text("mine")
    with pytest.raises(NotMadeError, match=f"functions/{FOLDER}/app.py is there already"):
        new_operation(NAME, root=copy)
    assert standing.read_text() == "mine"
    assert not (copy / "events" / f"{FOLDER}.api.json").exists()


@pytest.mark.parametrize("inquiry", [False, True], ids=["order", "inquiry"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_can_have_one_more(copy: Path, provider: str, inquiry: bool) -> None:
    written = new_operation(f"{provider}.make_up", inquiry=inquiry, root=copy)
    for path in [copy / name for name in written if name.endswith(".py")]:
        compile(path.read_text(), path, "exec")
    (models,) = [copy / name for name in written if name.endswith("models.py")]
    made = {}
    exec(compile(models.read_text(), models, "exec"), made)  # noqa: S102 - what was written, as Python reads it
    assert made["MakeUpRequest"].model_validate({"order_no": "R-1"}).order_no == "R-1"


def test_the_rows_of_an_inquiry_are_those_of_an_inquiry() -> None:
    template = (ROOT / "template.yaml").read_text()
    route = "GET /haso/customers/{customer_code}/limits"
    new = Function("haso_customer_limits", "haso.customer_limits", route, None, "Show: what is left", "")
    added = set(with_rows(template, INQUIRIES["haso.payment_plan"], new).splitlines()) - set(template.splitlines())
    assert "    HasoCustomerLimits: {Secret: HasoSecret}" in added
    assert '        - {ScopeName: haso.customer_limits, ScopeDescription: "Show: what is left"}' in added
    assert '      Path: "/haso/customers/{customer_code}/limits", Method: get,' in added
    assert max(map(len, added)) <= 120


@pytest.mark.parametrize("model", [*ORDERS.values(), *INQUIRIES.values()], ids=lambda it: it.name)
def test_one_more_operation_is_a_few_lines_of_the_template(model: Function) -> None:
    """What all operations have is said once, by loops and anchors. A row says what is the operation's own."""
    template = (ROOT / "template.yaml").read_text()
    provider = model.name.partition(".")[0]
    new = Function(f"{provider}_make_up", f"{provider}.make_up", f"POST /{provider}/make-up", None, "Make it up", "")
    written = with_rows(template, model, new)
    assert len(written.splitlines()) - len(template.splitlines()) <= (25 if model.name in ORDERS else 15)
    # What is meant again is not said again.
    assert sorted(re.findall(r"&[a-z-]+ ", written)) == sorted(re.findall(r"&[a-z-]+ ", template))
    function = yaml_parse(written)["Resources"][new.logical_name]
    assert function["Type"] == "AWS::Serverless::Function"
    # Nothing of it, such as the alarms that roll it back, is the model's.
    assert model.logical_name not in str(function)
