"""The shipped functions, the floor and the peer, each ready to start as Lambda starts it.

Lambda's own packages (boto3, the runtime client) come from this environment, and the layer from its own build. They are
copied to a virtual environment that contains nothing else.
"""

import os
import py_compile
import shutil
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

import boto3
from vezne_cli.catalogue import ORDERS, READ, URLS
from vezne_cli.layer import layer_environment

ROOT = Path(__file__).parents[2]
BENCH = ROOT / ".local" / "bench"
HERE = Path(__file__).parent
FUNCTIONS = tuple(order.folder for order in ORDERS.values())
READER = READ.folder
PYTHON = BENCH / "venv" / "bin" / "python"
CHILD = HERE / "child.py"
# Packages of Lambda's Python runtime, and the packages of the peer besides Powertools.
RUNTIME = ("awslambdaric", "boto3", "botocore", "dateutil", "jmespath", "runtime_client*", "s3transfer", "simplejson",
           "six.py", "snapshot_restore_py.py", "urllib3")  # fmt: skip
PEER = ("aws_xray_sdk", "wrapt")
# A dependency of requests that the layer leaves out.
REQUESTS = ("charset_normalizer",)
# The same for all that is measured.
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "TZ": ":UTC",
    "PYTHONDONTWRITEBYTECODE": "1",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "LAMBDA_TASK_ROOT": "/var/task",
    # Most invocations are not sampled for X-Ray.
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
    "TABLE_NAME": "records",
    "LOGIN_SECRET_ID": "shared token",
    "POWERTOOLS_SERVICE_NAME": "vezne",
    "POWERTOOLS_METRICS_NAMESPACE": "Vezne",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    **dict.fromkeys(URLS, "http://127.0.0.1:9"),
}


@dataclass(frozen=True)
class Subject:
    """One program that is started and measured: a function, the floor, the peer."""

    name: str
    paths: tuple[Path, ...]
    event: str
    secret: str

    def environment(self, **more: str) -> dict[str, str]:
        """Its environment variables, as in Lambda."""
        own = {
            "PYTHONPATH": os.pathsep.join(map(str, self.paths)),
            "SECRET_ID": self.secret,
            "BENCH_EVENT": str(ROOT / "events" / f"{self.event}.api.json"),
        }
        return {**ENVIRONMENT, **own, **more}


def install() -> dict[str, Subject]:
    """Build and copy everything again. Returns the subjects by name, with `floor` and `peer`."""
    shutil.rmtree(BENCH, ignore_errors=True)
    BENCH.mkdir(parents=True)
    venv.create(BENCH / "venv", symlinks=True)
    layer, runtime = BENCH / "layer" / "python", BENCH / "runtime"
    build_layer(BENCH / "layer", "local")
    link(runtime, RUNTIME)
    subjects = {}
    for name in (*FUNCTIONS, READER):
        folder = _copy(ROOT / "functions" / name, BENCH / "functions" / name)
        subjects[name] = Subject(name, (folder, layer, runtime), name, name.split("_")[0])
    for name, more in (("floor", REQUESTS), ("peer", REQUESTS + PEER)):
        folder, packages = _copy(HERE / name, BENCH / "functions" / name), BENCH / f"{name}-packages"
        link(packages, more)
        # Lambda's own botocore: that of the layer knows the calls of our functions only.
        subjects[name] = Subject(name, (folder, packages, runtime, layer), "paynet_capture", "paynet")
    return subjects


def build_layer(directory: Path, target: str) -> None:
    """Run the layer's own build as `sam build` does, for `arm64`, `x86_64` or `local`."""
    directory.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **layer_environment(target), "ARTIFACTS_DIR": str(directory)}
    subprocess.run(
        ["make", "--silent", "-C", str(ROOT / "shared"), "build-VezneLayer"],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _copy(source: Path, target: Path) -> Path:
    """Copy a function's folder as `sam build` does: only its source."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def link(folder: Path, names: tuple[str, ...]) -> None:
    """Link these installed packages into a separate folder. A module of one file comes with its bytecode."""
    folder.mkdir()
    for name in names:
        for package in Path(boto3.__file__).parents[1].glob(name):
            (folder / package.name).symlink_to(package)
            if package.suffix == ".py":
                py_compile.compile(str(folder / package.name), doraise=True)
