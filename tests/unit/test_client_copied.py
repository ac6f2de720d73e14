"""The client where another project has copied it to: under its own name, with the layer's models and no more."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
# ISO 4217 is read for currencies other than the lira only.
SCRIPT = """
import httpx
from payments import COLLECT, Client, Credentials, NotSent
from vezne.providers.kolaybi.models import CollectionRequest

def refuse(request):
    raise httpx.ConnectError("no network here")

request = CollectionRequest(associate_id=1, currency="EUR", amount="10.00", gateway_id=1)
with Client("https://api.test/v1", Credentials("https://t", "id", "secret"), httpx.MockTransport(refuse)) as vezne:
    try:
        vezne.order(COLLECT, request, wait_seconds=0)
    except NotSent as error:
        print(error.reason)
"""


def named_in_its_document() -> list[str]:
    (sentence,) = re.findall(r"The copy needs ([^.]+)\.", (ROOT / "shared/vezne_client/README.md").read_text())
    return re.findall(r"`([\w-]+)`", sentence)


def with_what_it_needs(package: str) -> Iterator[metadata.Distribution]:
    found = metadata.distribution(package)
    yield found
    for requirement in map(Requirement, found.requires or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield from with_what_it_needs(requirement.name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nothing but the copy, `vezne` beside it, and the packages that its README names."""
    shutil.copytree(ROOT / "shared" / "vezne_client", tmp_path / "payments")
    shutil.copytree(ROOT / "shared" / "vezne", tmp_path / "vezne")
    for distribution in {it.name: it for name in named_in_its_document() for it in with_what_it_needs(name)}.values():
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            (tmp_path / top).symlink_to(Path(str(distribution.locate_file(top))))
    return tmp_path


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", "-c", SCRIPT]
    return subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False)


def test_a_copy_works_with_the_packages_that_its_readme_names(folder: Path) -> None:
    done = run(folder)
    assert (done.returncode, done.stdout) == (0, "no token, ConnectError\n"), done.stderr


@pytest.mark.parametrize("module", ["httpx", "pydantic", "stdnum", "iso4217"])
def test_each_of_them_is_needed(folder: Path, module: str) -> None:
    (folder / module).unlink()
    assert f"No module named '{module}'" in run(folder).stderr
