"""Set up a virtual environment of this directory from a file of pinned packages, or fetch the layer's wheels.

`make` runs this before anything is installed, so it imports the standard library only:

    python set_up.py pip .venv-uv requirements-uv.txt     # by pip
    python set_up.py uv .venv requirements-run.txt        # by uv, which is there by then
    python set_up.py wheels .venv/wheels/arm64 shared/requirements.txt

The files pin every package by hash, dependencies included, so nothing is left to resolve.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

UV = Path(".venv-uv/bin/uv")
LAMBDA_VERSION = "3.13"
# What the layer can be built for: the interpreter in `.venv`, which runs the local stack, and Lambda's two processors.
_LAMBDA = ("--implementation", "cp", "--python-version", LAMBDA_VERSION)
TARGETS = {
    "local": (),
    "arm64": ("--platform", "manylinux2014_aarch64", *_LAMBDA),
    "x86_64": ("--platform", "manylinux2014_x86_64", *_LAMBDA),
}
# What Lambda calls this machine's processor.
ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}.get(os.uname().machine, "x86_64")
# Folder of wheels -> what they are for. Those of the image are Lambda's own packages, for tests in a container here.
WHEELS = {**TARGETS, "image": TARGETS[ARCHITECTURE]}
# What uv and pip say when an index does not answer, or when there is no way to it.
_NO_NETWORK = re.compile(
    r"error sending request|dns error|[Cc]onnection (refused|reset|aborted|broken)|timed? ?out|"
    r"Failed to (fetch|download|establish)|NewConnectionError|Max retries exceeded|"
    r"Could not fetch URL|Network is unreachable|[Nn]ame or service not known|name resolution|"
    r"Failed to resolve|from versions: none"
)
_UNREACHABLE = (
    "This is the network: the package index cannot be reached. Check the connection and the proxy (HTTPS_PROXY), or "
    "name another index in UV_DEFAULT_INDEX. Then run make again: what is already set up is kept."
)
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>\S+).*(?:\n[ \t].*)*", re.MULTILINE)


class SetUpError(Exception):
    """Something could not be set up; the text says what, and what to do."""


def entries(requirements: str) -> Iterator[tuple[str, str]]:
    """Each package's name and its whole entry, hashes included, in the text of a requirements file."""
    for entry in _ENTRY.finditer(requirements):
        yield entry["name"], entry[0]


def install(tool: str, directory: Path, requirements: Path) -> None:
    """Install a file's packages into a virtual environment, made first if it is missing; raises SetUpError."""
    # uv needs no pip where it installs to, and a virtual environment without one is made at once.
    create(directory, [] if tool == "pip" else ["--without-pip"])
    python = directory / "bin" / "python"
    commands: dict[str, list[str | Path]] = {
        "pip": [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"],
        "uv": [UV, "--no-config", "--no-progress", "--quiet", "pip", "install", "--python", python],
    }
    step = f"{directory}: {_packages(requirements)} of {requirements}"
    _run(step, [*commands[tool], "--no-deps", "--require-hashes", "--requirement", requirements])


def create(directory: Path, options: Sequence[str]) -> None:
    """Make a virtual environment of the interpreter that runs this, unless there is one that starts."""
    if (directory / "bin" / "python").exists():
        return
    try:
        step = f"{directory}: an environment of Python {sys.version.split()[0]}"
        _run(step, [sys.executable, "-m", "venv", "--clear", *options, directory])
    except SetUpError:
        # One without pip would be taken for whole the next time.
        shutil.rmtree(directory, ignore_errors=True)
        raise


def fetch_wheels(directory: Path, requirements: Path) -> None:
    """Put wheels into a folder named as in WHEELS, in place of older ones; raises SetUpError."""
    directory.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as name:
        fetched = Path(name) / directory.name
        step = f"{directory}: the wheels of {_packages(requirements)} of {requirements}"
        _run(step, [".venv/bin/python", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                    "--require-hashes", "--only-binary=:all:", "--requirement", requirements, "--dest", fetched,
                    *WHEELS[directory.name]])  # fmt: skip
        shutil.rmtree(directory, ignore_errors=True)
        fetched.rename(directory)


def _packages(requirements: Path) -> str:
    count = len(list(entries(requirements.read_text())))
    return f"{count} package{'' if count == 1 else 's'}"


def _run(step: str, command: Sequence[str | Path]) -> None:
    """Say what is done, do it, and say how long it took. Raises SetUpError with the command's own words."""
    print(f"Setting up {step} ...", end="", file=sys.stderr, flush=True)
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print(" failed", file=sys.stderr)
        advice = _UNREACHABLE if _NO_NETWORK.search(done.stdout) else "The reason stands above."
        raise SetUpError(f"{done.stdout.rstrip()}\n\n{step.partition(':')[0]} is not set up. {advice}")
    print(f" {time.monotonic() - started:.0f} s", file=sys.stderr)


def main() -> None:
    what, directory, requirements = sys.argv[1:]
    try:
        if what == "wheels":
            fetch_wheels(Path(directory), Path(requirements))
        else:
            install(what, Path(directory), Path(requirements))
    except SetUpError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
