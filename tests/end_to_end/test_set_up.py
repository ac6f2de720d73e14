"""Set-up in a new copy of the project, and a build from it without the network."""

import os
import subprocess
from pathlib import Path

import pytest
from vezne_cli.processes import ROOT

CLOSED = "http://127.0.0.1:9/simple"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the project in a folder with blanks in its name, set up for a run there."""
    folder = tmp_path_factory.mktemp("set-up") / "a fresh  copy"
    folder.mkdir()
    files = ["Makefile", "shared", *(path.name for path in ROOT.glob("requirements-*.txt"))]
    subprocess.run(["cp", "-R", *files, folder], cwd=ROOT, check=True)
    done = subprocess.run(
        ["make", ".venv/.run", ".venv/.wheels-local"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode and "This is the network" in done.stderr and not os.environ.get("CI"):
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    assert "packages of requirements-run.txt ... " in done.stderr
    return folder


def test_the_command_starts_with_what_a_run_needs(copy: Path) -> None:
    help_text = subprocess.check_output(
        [".venv/bin/python", "-m", "vezne_cli", "--help"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": "shared"},
        text=True,
    )
    assert "explain" in help_text
    assert not list(copy.glob(".venv/lib/python*/site-packages/pytest"))


def build_layer(copy: Path, directory: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Build the layer as `sam build` does: in a copy of the folder, by the Makefile, without the index."""
    subprocess.run(["cp", "-R", copy / "shared", directory / "scratch"], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "VEZNE_LAYER_"))}
    own = {
        "VEZNE_LAYER_TARGET": "local", "PYTHON": str(copy / ".venv/bin/python"),
        "ARTIFACTS_DIR": str(directory / "layer"),
        "PIP_INDEX_URL": CLOSED, "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull,
    }  # fmt: skip
    return subprocess.run(
        ["make", "--silent", "--makefile", copy / "shared" / "Makefile", "build-VezneLayer"],
        cwd=directory / "scratch", env={**kept, **own, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_layer_is_built_without_the_network(copy: Path, tmp_path: Path) -> None:
    done = build_layer(copy, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "layer" / "python" / "botocore").is_dir()


def test_without_wheels_the_index_is_used(copy: Path, tmp_path: Path) -> None:
    done = build_layer(copy, tmp_path, VEZNE_LAYER_WHEELS=str(tmp_path / "none"))
    assert done.returncode != 0
    assert "Connection refused" in done.stderr or "No matching distribution found" in done.stderr
