"""The OpenAPI document in the hands of others: two linters find nothing in it, and TypeScript types come out of it."""

import copy
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from vezne_cli.document.document import DOCUMENT
from vezne_cli.processes import LOCAL

from tests.end_to_end.lacking import lacking
from tests.support.npm import fetched

HERE = Path(__file__).parent
# Every version is pinned with its hash. A changed lock is another folder.
PACKAGES = [HERE / "package.json", HERE / "package-lock.json"]
NEWEST = hashlib.sha256(PACKAGES[1].read_bytes()).hexdigest()[:12]
# What Redocly asks for.
OLDEST_NODE = (20, 19)
# No tool tells anybody that it was used.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
STRICT = ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"]
DOCUMENTED = json.loads(DOCUMENT.read_text())
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def node_version() -> tuple[int, ...]:
    if not shutil.which("node"):
        return (0,)
    printed = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(part) for part in printed.strip().removeprefix("v").split("."))


@pytest.fixture(scope="module")
def run() -> Run:
    """Run one of the tools. Where none can be fetched the tests are skipped; they fail if .ci/run promised them."""
    if node_version() < OLDEST_NODE:
        lacking("DOCUMENT_TOOLS", "no Node.js 20.19 or newer here")
    folder = LOCAL / f"document-tools-{NEWEST}"
    if reason := fetched(folder, ["ci"], *PACKAGES):
        lacking("DOCUMENT_TOOLS", reason)

    def started(tool: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [folder / "node_modules" / ".bin" / tool, *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=folder, env={**os.environ, **QUIET}
        )

    return started


def spectral(run: Run, document: Path) -> list[str]:
    """What Spectral's rules for OpenAPI find, whatever its severity."""
    done = run("spectral", "lint", "--ruleset", HERE / "spectral.yaml", "--format", "json", "--quiet", document)
    return [f"{finding['code']} at {finding['path']}" for finding in json.loads(done.stdout)]


def redocly(run: Run, document: Path) -> list[str]:
    """What Redocly's recommended rules find, warnings too."""
    done = run("redocly", "lint", "--extends", "recommended", "--format", "json", document)
    return [f"{finding['ruleId']} at {finding['location']}" for finding in json.loads(done.stdout)["problems"]]


def without_contact() -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(DOCUMENTED)
    del changed["info"]["contact"]
    return changed


def with_a_tag_that_has_no_meaning() -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(DOCUMENTED)
    del changed["tags"][0]["description"]
    return changed


def test_every_package_is_pinned_by_its_hash_and_names_no_registry() -> None:
    """npm takes them from the registry that the machine is set up for."""
    wanted, locked = (json.loads(file.read_text()) for file in PACKAGES)
    packages = {name: it for name, it in locked["packages"].items() if name}
    assert locked["packages"][""]["devDependencies"] == wanted["devDependencies"]
    assert all(packages[f"node_modules/{name}"]["version"] == it for name, it in wanted["devDependencies"].items())
    assert [
        name for name, it in packages.items() if not it["integrity"].startswith("sha512-") or "resolved" in it
    ] == []


@pytest.mark.parametrize("linter", [spectral, redocly])
def test_a_linter_finds_nothing(run: Run, linter: Callable[[Run, Path], list[str]]) -> None:
    assert linter(run, DOCUMENT) == []


@pytest.mark.parametrize(
    ("linter", "changed", "rule"),
    [(spectral, without_contact, "info-contact"), (redocly, with_a_tag_that_has_no_meaning, "tag-description")],
)
def test_a_linter_finds_what_is_wrong(
    run: Run,
    tmp_path: Path,
    linter: Callable[[Run, Path], list[str]],
    changed: Callable[[], dict[str, Any]],
    rule: str,
) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(changed()))
    (found,) = linter(run, document)
    assert found.startswith(rule)


@pytest.fixture(scope="module")
def types(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document's types, and the caller beside them."""
    folder = tmp_path_factory.mktemp("types")
    made = run("openapi-typescript", DOCUMENT, "--output", folder / "api.ts")
    # It warns of what it does not understand, and makes types all the same.
    assert (made.returncode, "⚠" in made.stderr + made.stdout) == (0, False), made.stderr
    shutil.copy(HERE / "caller.ts", folder)
    return folder


def test_a_caller_narrows_problems_by_code_and_operations_by_status(run: Run, types: Path) -> None:
    """What the caller may not read without narrowing is marked in it: the compiler refuses a mark without an error."""
    compiled = run("tsc", *STRICT, types / "caller.ts")
    assert (compiled.returncode, compiled.stdout) == (0, "")


def test_the_compiler_sees_what_the_caller_may_not_do(run: Run, types: Path) -> None:
    marked = (types / "caller.ts").read_text()
    unmarked = types / "unmarked.ts"
    unmarked.write_text(marked.replace("// @ts-expect-error", "//"))
    compiled = run("tsc", *STRICT, unmarked)
    assert compiled.returncode != 0
    assert compiled.stdout.count("error TS") == marked.count("// @ts-expect-error") > 3
