"""The built layer: for this machine by the stack, and for Lambda's two processors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from vezne_cli.layer import layer_environment
from vezne_cli.processes import ROOT
from vezne_cli.stack import Stack

# Runs with the standard library and the layer only, without the packages of Lambda's own runtime.
IMPORT_EVERYTHING = """
import importlib.util, pkgutil, sys
from pathlib import Path

layer, functions = sys.argv[1:]
assert not any("site-packages" in entry for entry in sys.path), sys.path
sys.path.insert(0, layer)
import vezne
for module in pkgutil.walk_packages(vezne.__path__, "vezne."):
    importlib.import_module(module.name)
for app in sorted(Path(functions).glob("*/app.py")):
    spec = importlib.util.spec_from_file_location(f"function_{app.parent.name}", app)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.handler)
vezne.platform.aws.read_descriptions()
for service in vezne.platform.aws.SERVICES:
    client = vezne.platform.aws.client(service, connect_seconds=1, read_seconds=1)
    assert client.meta.endpoint_url == f"https://{service}.eu-central-1.amazonaws.com", client.meta.endpoint_url
print("imported")
"""


@pytest.fixture(scope="module")
def local_layer(whole_stack: Stack) -> Path:
    return ROOT / ".aws-sam" / "local" / "VezneLayer" / "python"


def test_the_layer_holds_all_that_the_functions_import(local_layer: Path) -> None:
    """The emulator runs functions with the packages of the tests importable. Lambda does not."""
    environment = {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TABLE_NAME": "t",
        "SECRET_ID": "s",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT_EVERYTHING, local_layer, ROOT / "functions"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "imported", done.stderr


def test_the_layer_has_bytecode_and_no_unneeded_files(local_layer: Path) -> None:
    sources = list(local_layer.rglob("*.py"))
    assert local_layer / "vezne" / "api" / "handle_order.py" in sources
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        # Flag word 1 means hash-based and unchecked. So a changed modification time does not make it stale.
        assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00", source
    names = {path.name for path in local_layer.rglob("*") if path.is_dir()}
    assert not names & {"tests", "bin"}
    assert not (local_layer / "boto3").exists()


def build(artifacts: Path, target: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run what `sam build` runs for the layer."""
    variables = {**os.environ, **layer_environment(target), "ARTIFACTS_DIR": str(artifacts), **environment}
    return subprocess.run(
        ["make", "--silent", "build-VezneLayer"],
        cwd=ROOT / "shared", env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("target", "machine"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_the_layer_is_built_for_lambda_on_any_machine(tmp_path: Path, target: str, machine: str) -> None:
    build(tmp_path, target).check_returncode()
    compiled = [path.name for path in tmp_path.rglob("*.so")]
    assert any(name.startswith("_pydantic_core") for name in compiled)
    assert all(f"cpython-313-{machine}-linux-gnu" in name for name in compiled), compiled
    assert (tmp_path / "python" / "vezne" / "py.typed").exists()


def test_an_unknown_target_is_refused(tmp_path: Path) -> None:
    done = build(tmp_path, "sparc")
    assert done.returncode != 0
    assert "must be arm64, x86_64 or local" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_without_lambdas_python_the_build_stops_and_names_the_solutions(tmp_path: Path, python: str) -> None:
    done = build(tmp_path, "arm64", LAMBDA_PYTHON=python, VEZNE_LAYER_BYTECODE="")
    assert done.returncode != 0
    assert f'"{python}" is not Python 3.13' in done.stderr
    assert "name one in LAMBDA_PYTHON" in done.stderr
    assert "VEZNE_LAYER_BYTECODE=none" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_layer_without_bytecode_is_built_when_asked_for(tmp_path: Path) -> None:
    build(tmp_path, "arm64", LAMBDA_PYTHON="no-such-python", VEZNE_LAYER_BYTECODE="none").check_returncode()
    assert (tmp_path / "python" / "vezne" / "api" / "handle_order.py").exists()
    assert not list(tmp_path.rglob("*.pyc"))
