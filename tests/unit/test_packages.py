"""shared/pyproject.toml: each package can be installed with its extra, which names what it imports and nothing else."""

import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import grimp
import pytest
from vezne_cli import __version__
from vezne_cli.processes import ROOT

PROJECT = tomllib.loads((ROOT / "shared" / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
(OPERATING,) = [each["source_modules"] for each in CONTRACTS if each["name"].startswith("Operating a deployed stack")]
# Lambda's own, which is not there elsewhere; the code does without it.
LAMBDAS_OWN = {"snapshot_restore_py"}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True, exclude_type_checking_imports=True)


def imported(*roots: str) -> set[str]:
    """The distributions whose modules these modules, or what they import, import."""
    modules = {module for root in roots for module in {root, *graph().find_descendants(root)}}
    needed = set(modules).union(*(graph().find_upstream_modules(module) for module in modules))
    names = {module.split(".")[0] for module in needed}
    others = names - set(PACKAGES) - set(sys.stdlib_module_names) - LAMBDAS_OWN
    # types_boto3 has none of its own: it is for the type checker.
    return {packages_distributions()[name][0].lower().replace("_", "-") for name in others}


def named(extra: str) -> set[str]:
    """The distributions in an extra, those of our own extras in it included."""
    found: set[str] = set()
    for requirement in EXTRAS[extra]:
        if own := re.fullmatch(r"vezne\[(.*)\]", requirement):
            found = found.union(*(named(other) for other in own[1].split(",")))
        else:
            found.add(re.split(r"[\[><=]", requirement)[0])
    return found


@pytest.mark.parametrize(
    ("extra", "roots"),
    [
        ("client", ["vezne_client"]),
        ("sandbox", ["vezne_sandbox"]),
        # The catalogue loads the functions and the providers by their names.
        ("cli", [*OPERATING, "vezne"]),
        ("dashboard", ["vezne_cli", "vezne_sandbox", "vezne"]),
    ],
)
def test_an_extra_names_what_its_package_imports(extra: str, roots: list[str]) -> None:
    assert named(extra) == imported(*roots)


def test_the_drawing_library_is_needed_by_the_dashboard_alone() -> None:
    rest = [module for module in graph().find_children("vezne_cli") if module != "vezne_cli.dashboard"]
    rest = [module for module in rest if module not in ("vezne_cli.app", "vezne_cli.__main__", "vezne_cli.commands")]
    assert named("local") == imported(*rest, "vezne_sandbox", "vezne") | {"click"}


def test_only_lower_bounds_are_set_and_what_is_pinned_is_above_them() -> None:
    for requirement in [each for extra in EXTRAS.values() for each in extra if not each.startswith("vezne[")]:
        name, bound = re.fullmatch(r"([a-z0-9-]+)>=([0-9.]+)", requirement).groups()  # type: ignore[union-attr]
        pinned = [int(part) for part in re.findall(r"\d+", version(name))]
        assert pinned >= [int(part) for part in bound.split(".")], requirement


def test_each_package_is_in_the_distribution() -> None:
    assert set(PACKAGES) == {path.parent.name for path in (ROOT / "shared").glob("*/__init__.py")}


# ------------------------------------------------------------------ as it is installed


# The build tool is one of the pinned packages, so no network is needed.
OFFLINE = ["--no-index", "--no-build-isolation"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the distribution in it, installed without the project's folder."""
    folder = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *OFFLINE,
         "--target", folder, ROOT / "shared"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def vezne(installed: Path, *arguments: str) -> Any:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-P", installed / "bin" / "vezne", *arguments],
        cwd=installed, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_installed_command_knows_its_version_and_the_operations(installed: Path) -> None:
    assert vezne(installed, "--version").stdout == f"vezne, version {__version__}\n"
    assert "unknown" in vezne(installed, "--help").stdout
    refused = vezne(installed, "client", "create", "shop", "paynet.captre")
    assert (refused.returncode, "did you mean paynet.capture?" in refused.stderr) == (2, True)


def test_the_installed_command_says_what_needs_the_projects_folder(installed: Path) -> None:
    for arguments in (["run"], ["serve"], ["documents"], ["template", "x.json"]):
        refused = vezne(installed, *arguments)
        assert refused.returncode == 1
        assert refused.stderr.startswith("This needs the project's folder")
    assert not (installed.parent / ".local").exists()
