"""The files of pinned packages agree with each other and with what is imported, and set-up says what fails."""

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from vezne_cli.processes import ROOT
from vezne_cli.set_up import TARGETS, entries

FILES = {path.name: path for path in ROOT.glob("requirements-*.txt")} | {
    "layer": ROOT / "shared" / "requirements.txt",
    "image": ROOT / "tests" / "end_to_end" / "sam_local" / "requirements.txt",
}
PACKAGES = ("vezne", "vezne_client", "vezne_cli", "vezne_sandbox")
# Not for operating or running a stack: `make dashboard-preview` draws with what the tests have.
WITH_THE_TESTS = {ROOT / "shared" / "vezne_cli" / "dashboard.py"}
# Part of Lambda's own runtime; imported there only.
IN_LAMBDA = {"snapshot_restore_py"}
SUPPORTED = [
    {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": system, "extra": ""}
    for version in ("3.11", "3.12", "3.13")
    for system in ("linux", "darwin")
]


def pins(name: str) -> dict[str, str]:
    """Package -> its pinned version, in one of FILES."""
    found = entries(FILES[name].read_text())
    return {canonicalize_name(package): entry.partition("==")[2].split()[0] for package, entry in found}


RUN, DEV, LAYER = (pins(name) for name in ("requirements-run.txt", "requirements-dev.txt", "layer"))
EXTRAS = {
    canonicalize_name(requirement.name): requirement.extras
    for name in ("requirements-run.txt", "requirements-dev.txt")
    for _, entry in entries(FILES[name].read_text())
    for requirement in [Requirement(entry.splitlines()[0].rstrip("\\ "))]
}


def wanted(marker: Marker | None, extras: set[str]) -> bool:
    """Whether a dependency is needed on any machine that is supported."""
    return marker is None or any(
        marker.evaluate({**environment, "extra": extra}) for environment in SUPPORTED for extra in {"", *extras}
    )


def dependencies(package: str) -> Iterator[str]:
    for text in metadata.requires(package) or ():
        requirement = Requirement(text)
        if wanted(requirement.marker, EXTRAS.get(package, set())):
            yield canonicalize_name(requirement.name)


def imported(path: Path) -> Iterator[str]:
    """The outermost package of each import that is not for type checkers only, inside functions too."""
    tree = ast.parse(path.read_text())
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for part in block.body
        for node in ast.walk(part)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_package_is_pinned_once_and_by_hash(name: str) -> None:
    text = FILES[name].read_text()
    found = list(entries(text))
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert [entry.splitlines()[0] for _, entry in found] == lines, "an entry without =="
    assert len({canonicalize_name(package) for package, _ in found}) == len(found)
    for package, entry in found:
        assert re.search(r"\\\n    --hash=sha256:[0-9a-f]{64}", entry), package


def test_no_package_is_in_both_files_of_one_environment() -> None:
    assert not RUN.keys() & DEV.keys()


def test_the_layer_has_the_versions_that_are_tested() -> None:
    assert {package: version for package, version in LAYER.items() if RUN.get(package) != version} == {}


def test_the_image_has_the_versions_that_are_tested() -> None:
    both = {**RUN, **DEV}
    assert {package: version for package, version in pins("image").items() if both.get(package) != version} == {}


def test_what_is_installed_is_what_is_pinned() -> None:
    both = {**RUN, **DEV}
    assert {package: metadata.version(package) for package in both} == both


@pytest.mark.parametrize(("name", "there"), [("requirements-run.txt", RUN), ("requirements-dev.txt", {**RUN, **DEV})])
def test_no_dependency_is_missing(name: str, there: dict[str, str]) -> None:
    missing = {
        (package, needed) for package in pins(name) for needed in dependencies(package) if needed not in there
    }  # fmt: skip
    assert missing == set()


def test_what_the_packages_import_is_there_without_the_tests() -> None:
    owners = metadata.packages_distributions()
    missing = set()
    for package in PACKAGES:
        for path in set((ROOT / "shared" / package).rglob("*.py")) - WITH_THE_TESTS:
            for name in set(imported(path)) - {*sys.stdlib_module_names, *PACKAGES, *IN_LAMBDA}:
                if not {canonicalize_name(owner) for owner in owners.get(name, ())} & RUN.keys():
                    missing.add((path.relative_to(ROOT), name))
    assert missing == set()


def test_what_the_local_stack_needs_without_naming_it_is_there() -> None:
    """MiniStack signs tokens only with cryptography; the layer's wheels are fetched and unpacked by pip."""
    assert {"cryptography", "pip"} <= RUN.keys()


# ---------------------------------------------------------------- what set-up says


def make(directory: Path, *arguments: str) -> str:
    """What `make` says in a copy of what set-up reads, in a folder with a blank in its name; it must fail."""
    copy = directory / "a copy"
    for path in (ROOT / "Makefile", *ROOT.glob("requirements-*.txt"), ROOT / "shared/vezne_cli/set_up.py"):
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    done = subprocess.run(["make", *arguments], cwd=copy, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0, done.stdout
    return done.stderr


@pytest.mark.parametrize("python", ["false", "no-such-python"])
def test_an_unsuitable_python_is_named(tmp_path: Path, python: str) -> None:
    assert f"{python} does not start, is not Python 3.11 to 3.13" in make(tmp_path, "setup", f"PYTHON={python}")


def test_a_missing_python_is_named(tmp_path: Path) -> None:
    assert "Python 3.11, 3.12 or 3.13 is missing" in make(tmp_path, "setup", "PYTHON=")


@pytest.fixture
def nowhere() -> Iterator[str]:
    """The address of a package index that refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/simple"


@pytest.mark.parametrize("what", ["pip", "uv", "wheels"])
def test_an_index_out_of_reach_is_called_the_network(tmp_path: Path, nowhere: str, what: str) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"no-such-package==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))},
        "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": nowhere, "PIP_RETRIES": "0",
        "UV_DEFAULT_INDEX": nowhere, "UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(tmp_path / "cache"),
    }  # fmt: skip
    directory = tmp_path / "with a blank" / ("local" if what == "wheels" else "venv")
    directory.parent.mkdir()
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "shared/vezne_cli/set_up.py", what, directory, requirements],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"{directory} is not set up. This is the network: the package index cannot be reached." in done.stderr
    assert "run make again" in done.stderr
    assert "1 package of" in done.stderr


def test_a_wrong_hash_is_not_called_the_network(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"six=={LAYER['six']} \\\n    --hash=sha256:{'0' * 64}\n")
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "shared/vezne_cli/set_up.py", "pip", tmp_path / "venv", requirements],
        cwd=ROOT, env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ".venv/wheels/local"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "The reason stands above" in done.stderr
    assert "network" not in done.stderr


def test_the_layers_own_build_knows_the_same_targets() -> None:
    text = (ROOT / "shared" / "Makefile").read_text()
    platforms = dict(re.findall(r"^platform_(\w+) := (\S+)$", text, re.MULTILINE))
    assert platforms == {target: options[1] for target, options in TARGETS.items() if options}
