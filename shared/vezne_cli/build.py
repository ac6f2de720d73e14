"""`sam build` and `sam deploy` of the real template, into an AWS emulator on this machine."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from .connection import REGION, STACK_NAME, aws_environment
from .layer import layer_environment
from .processes import LOCAL, ROOT, Progress, StackError, lock, running
from .set_up import ARCHITECTURE
from .template import source

SAM = ROOT / ".venv-sam" / "bin" / "sam"
BUCKET = "vezne-artifacts"
# Target of the build -> target of its layer: the interpreter of this machine, or Lambda's own. The AWS emulator runs
# functions with the first.
LAYER_TARGETS = {"local": "local", "container": ARCHITECTURE}


def inputs(root: Path = ROOT) -> Iterator[Path]:
    """Every file that decides what is built."""
    yield root / "template.yaml"
    yield root / "requirements-sam.txt"
    for folder in ("functions", "shared"):
        yield from sorted(
            path for path in (root / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
        )


def built(root: Path = ROOT, kind: str = "local") -> Path:
    """Where `sam build` puts what it makes for the local stack, or for a `container`."""
    return root / ".aws-sam" / kind


def _fingerprint(root: Path) -> str:
    """A hash of the build's inputs and of the interpreter the layer is built for."""
    digest = hashlib.sha256(f"{sys.implementation.cache_tag} {sys.platform} {os.uname().machine}".encode())
    for path in inputs(root):
        content = path.read_bytes()
        digest.update(f"\n{path.relative_to(root)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def sam_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment (pip may need its settings), without any real AWS account in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    own = {
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
        # samconfig.toml says it for real deployments. Without it SAM takes a loop for a resource, and crashes.
        "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1",
    }
    return {**kept, **own, "AWS_DEFAULT_REGION": REGION, **extra}


def build_and_deploy(
    endpoint_url: str, parameters: Mapping[str, str], directory: Path, progress: Progress, root: Path = ROOT
) -> None:
    """Build if an input changed since the last build, then deploy; raises StackError with sam's own words.

    `root` may be a copy of the project that a test has changed.
    """
    if not SAM.exists():
        raise StackError(f"{SAM.relative_to(ROOT)} is missing: run `make setup` first")
    # samconfig.toml holds the settings of real deployments.
    config = directory / "samconfig.toml"
    config.write_text("version = 0.1\n")
    with lock(LOCAL / "build.lock"):
        _build("local", config, directory, progress, root)
        progress("sam deploy into MiniStack")
        command: list[str | Path] = [
            SAM, "deploy", "--template-file", _with_defaults(root, parameters), "--config-file", config,
            "--stack-name", STACK_NAME, "--s3-bucket", BUCKET,
            "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset",
            "--no-progressbar", "--parameter-overrides",
            *(f'{name}="{value}"' for name, value in parameters.items()),
        ]  # fmt: skip
        with running(
            "sam deploy", command, sam_environment(aws_environment(endpoint_url)), directory / "deploy.log"
        ) as sam:
            sam.finish()


def _with_defaults(root: Path, parameters: Mapping[str, str]) -> Path:
    """The built template with the parameters as its defaults, too.

    CloudFormation expands SAM with the parameters, MiniStack with the defaults: by them CodeDeploy is used or not.
    """
    template = source(built(root))
    for name, value in parameters.items():
        template["Parameters"][name]["Default"] = value
    file = built(root) / "with-defaults.json"
    file.write_text(json.dumps(template))
    return file


def build_for_containers(directory: Path, progress: Progress) -> Path:
    """Build for Lambda's own Python on this machine's processor, if an input changed; raises StackError."""
    config = directory / "samconfig.toml"
    config.write_text("version = 0.1\n")
    with lock(LOCAL / "build.lock"):
        _build("container", config, directory, progress)
    return built(kind="container")


def _build(kind: str, config: Path, directory: Path, progress: Progress, root: Path = ROOT) -> None:
    """`sam build`, unless nothing changed since the last one of this kind."""
    stamp, fingerprint = built(root, kind) / ".inputs", _fingerprint(root)
    if stamp.exists() and stamp.read_text() == fingerprint:
        progress("sam build: nothing changed since the last one")
        return
    progress("sam build")
    stamp.unlink(missing_ok=True)
    command: list[str | Path] = [
        SAM, "build", "--template-file", root / "template.yaml", "--build-dir", built(root, kind),
        "--config-file", config, "--base-dir", root,
    ]  # fmt: skip
    layer = sam_environment(layer_environment(LAYER_TARGETS[kind]))
    with running("sam build", command, layer, directory / "build.log") as sam:
        sam.finish()
    stamp.write_text(fingerprint)
