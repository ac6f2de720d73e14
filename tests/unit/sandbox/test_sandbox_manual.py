"""The manual at the sandboxes' own address: its lines run as printed, and it leaves nothing out."""

import re
import shutil
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from vezne_sandbox.client import SandboxControl
from vezne_sandbox.control import Control
from vezne_sandbox.sandbox import Sandbox
from vezne_sandbox.server import running_sandbox


@pytest.fixture
def sandbox() -> Iterator[SandboxControl]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def manual(sandbox: SandboxControl) -> str:
    answer = httpx.get(sandbox.url, trust_env=False).raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


def test_the_lines_work_as_printed(manual: str) -> None:
    if not shutil.which("curl"):
        pytest.skip("no curl here")
    lines = [line for line in manual.splitlines() if line.startswith("curl ")]
    for line in lines:
        failing = line.replace("curl -s", "curl -sS --noproxy '*' --fail", 1)
        done = subprocess.run(["bash", "-c", failing], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (line, done.stderr)
        assert '"error"' not in done.stdout
    assert lines


def test_every_control_address_has_a_line(manual: str) -> None:
    lines = "\n".join(line for line in manual.splitlines() if line.startswith("curl "))
    for route in Control(Sandbox()).routes():
        assert re.search(rf"{route.path}\b", lines), route.path
    assert "-X DELETE" in lines


def test_it_names_every_address_of_a_provider_and_every_fault(manual: str, sandbox: SandboxControl) -> None:
    for operation in Sandbox().operations.values():
        assert re.search(
            rf"^  {re.escape(operation.name)} +{operation.method} +{re.escape(operation.path)}$", manual, re.MULTILINE
        )
    told = set(re.findall(r"\w+", manual))
    for name, operation in sandbox.operations().items():
        assert set(operation["then"]) <= told, name


def test_reading_it_is_no_call_of_a_provider(manual: str, sandbox: SandboxControl) -> None:
    assert manual
    assert sandbox.calls() == []
