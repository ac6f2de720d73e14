"""The layer is built for both processors without a container. The same sources give the same bytes."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import botocore
import pytest
from vezne_cli.layer import lambda_python, layer_environment

from tests.performance.installation import ROOT

# "e_machine" of the ELF header: AArch64, x86-64.
MACHINES = {"arm64": 183, "x86_64": 62}


def build(
    directory: Path, target: str, hash_seed: str = "0", umask: int = 0o022, settings: Mapping[str, str] | None = None
) -> Path:
    """Run the layer's own build as `sam build` does. Returns the folder that Lambda unpacks to /opt."""
    environment = {
        **os.environ,
        **layer_environment(target),
        **(settings or {}),
        "ARTIFACTS_DIR": str(directory),
        "PYTHONHASHSEED": hash_seed,
    }
    directory.mkdir(parents=True)
    command = ["make", "--silent", "-C", str(ROOT / "shared"), "build-VezneLayer"]
    done = subprocess.run(command, env=environment, umask=umask, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return directory


def digests(directory: Path) -> dict[str, str]:
    """The content, permissions and time of each file: a zip holds nothing else."""
    return {str(path.relative_to(directory)): digest(path) for path in sorted(directory.rglob("*")) if path.is_file()}


def digest(path: Path) -> str:
    status = path.stat()
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()} {status.st_mode:o} {status.st_mtime:.0f}"


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {target: build(tmp_path_factory.mktemp("layers") / target, target, "1") for target in MACHINES}


@pytest.mark.parametrize("target", MACHINES)
def test_the_same_sources_give_the_same_bytes(layers: dict[str, Path], tmp_path: Path, target: str) -> None:
    one = digests(layers[target])
    assert digests(build(tmp_path / "elsewhere" / "another", target, "2", umask=0o077)) == one
    assert "python/vezne/api/handle_order.py" in one


@pytest.mark.parametrize("target", MACHINES)
def test_no_document_of_ours_is_in_the_layer(layers: dict[str, Path], target: str) -> None:
    for documents in ("*.md", "pages.toml"):
        assert list((ROOT / "shared" / "vezne").rglob(documents))
        assert not list((layers[target] / "python" / "vezne").rglob(documents))


@pytest.mark.parametrize("target", MACHINES)
def test_every_module_has_bytecode_if_lambdas_python_is_here(layers: dict[str, Path], target: str) -> None:
    sources = {str(path.with_suffix("")) for path in layers[target].rglob("*.py")}
    compiled = {
        str(path.parents[1] / path.name.removesuffix(".cpython-313.pyc")) for path in layers[target].rglob("*.pyc")
    }
    assert compiled == (sources if lambda_python() else set())


@pytest.mark.parametrize("target", MACHINES)
def test_every_compiled_module_is_for_that_processor(layers: dict[str, Path], target: str) -> None:
    compiled = list(layers[target].rglob("*.so"))
    assert compiled
    assert {int.from_bytes(path.read_bytes()[18:20], "little") for path in compiled} == {MACHINES[target]}


def test_the_layers_of_both_processors_differ_in_compiled_modules_only(layers: dict[str, Path]) -> None:
    arm, intel = (digests(layers[target]) for target in ("arm64", "x86_64"))
    different = {name for name in arm.keys() | intel.keys() if arm.get(name) != intel.get(name)}
    assert different
    assert {Path(name).suffix for name in different if ".dist-info/" not in name} == {".so"}


def test_folders_may_have_a_blank_in_their_names(layers: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "with a blank"
    folder.mkdir()
    (folder / "python").symlink_to(sys.prefix)
    lambdas = lambda_python()
    settings = {"PYTHON": str(folder / "python" / "bin" / "python")}
    if lambdas:
        (folder / "lambda").symlink_to(lambdas)
        settings["LAMBDA_PYTHON"] = str(folder / "lambda")
    assert digests(build(folder / "layer", "arm64", "1", settings=settings)) == digests(layers["arm64"])


def test_the_layer_brings_the_botocore_that_was_tested(layers: dict[str, Path]) -> None:
    """Lambda has its own botocore, which AWS changes at any time. Inner parts of it are replaced here."""
    for layer in layers.values():
        (installed,) = layer.glob("python/botocore-*.dist-info")
        assert installed.name == f"botocore-{botocore.__version__}.dist-info"
        data = layer / "python" / "botocore" / "data"
        assert {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()} == {
            "_retry.json", "partitions.json", "sdk-default-configuration.json",
            "dynamodb/2012-08-10/endpoint-rule-set-1.json.gz", "secretsmanager/2017-10-17/endpoint-rule-set-1.json.gz",
            "secretsmanager/2017-10-17/service-2.sdk-extras.json", "s3/2006-03-01/endpoint-rule-set-1.json.gz",
            "s3/2006-03-01/service-2.sdk-extras.json",
        }  # fmt: skip
