"""The base image for `sam local invoke`, made from the files of this machine, without an image registry.

It has what we use of Lambda's own image: Python in `/var/lang`, the runtime interface client and boto3 in
`/var/runtime`, and a shell. SAM uses the shell to add its emulator and the layer.
"""

import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import docker
from vezne_cli.layer import WHEELS
from vezne_cli.set_up import LAMBDA_VERSION

BUSYBOX = Path("/bin/busybox")
NAME = "vezne-lambda-python"
# Packages of Lambda's own image, in the versions of the tests.
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# Libraries that wheels of the layer link to, beside those of Python.
LIBRARIES = ("libgcc_s.so.1", "libstdc++.so.6", "librt.so.1", "libdl.so.2", "libpthread.so.0", "libresolv.so.2")
COMMANDS = ("sh", "mv", "cp", "rm", "chmod", "mkdir", "cat", "ls", "env")
DOCKERFILE = f"""\
FROM scratch
ADD files.tar /
ENV LANG=C.UTF-8 TZ=:UTC PATH=/var/lang/bin:/bin LD_LIBRARY_PATH=/var/lang/lib:/opt/lib
ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime AWS_EXECUTION_ENV=AWS_Lambda_python{LAMBDA_VERSION}
WORKDIR /var/task
"""


class NoImageError(Exception):
    """The base image cannot be made on this machine. The text says what is missing."""


def ensure_image(client: docker.DockerClient, python: Path) -> str:
    """The name of the image, built with this interpreter if the engine does not have it. Raises NoImageError."""
    if not BUSYBOX.exists():
        raise NoImageError("/bin/busybox, a shell for the image, is not on this machine (Debian's busybox-static)")
    name = f"{NAME}:{LAMBDA_VERSION}"
    if not client.images.list(name):
        with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as context:
            root = Path(directory) / "root"
            _fill(root, python)
            _pack(root, context)
            client.images.build(fileobj=context, custom_context=True, tag=name, rm=True)
    return name


def _fill(root: Path, python: Path) -> None:
    """Write the image's files under `root`."""
    for folder in ("bin", "tmp", "etc", "proc", "dev", "opt", "var/task", "var/runtime", "var/rapid", "var/lang/bin"):
        (root / folder).mkdir(parents=True)
    shutil.copy2(BUSYBOX, root / "bin/busybox")
    for command in COMMANDS:
        (root / "bin" / command).symlink_to("busybox")
    _copy_python(root, python)
    _copy_libraries(root)
    _install_runtime(root, python)
    bootstrap = root / "var/runtime/bootstrap"
    bootstrap.write_text(
        "#!/bin/sh\n"
        "export PYTHONPATH=/var/task:/opt/python:/var/runtime\n"
        f'exec /var/lang/bin/python{LAMBDA_VERSION} -m awslambdaric "$_HANDLER"\n'
    )
    bootstrap.chmod(0o755)


def _copy_python(root: Path, python: Path) -> None:
    asked = "import sys, sysconfig; print(sys.base_prefix, sysconfig.get_path('stdlib'), sep='\\n')"
    base, stdlib = map(Path, subprocess.check_output([python, "-c", asked], text=True).splitlines())
    shutil.copy2((base / f"bin/python{LAMBDA_VERSION}").resolve(), root / f"var/lang/bin/python{LAMBDA_VERSION}")
    left_out = ("test", "idlelib", "site-packages", "dist-packages", "config-*", "__pycache__", "*.a")
    shutil.copytree(stdlib, root / f"var/lang/lib/python{LAMBDA_VERSION}", ignore=shutil.ignore_patterns(*left_out))
    for library in (base / "lib").glob(f"libpython{LAMBDA_VERSION}.so*"):
        shutil.copy2(library, root / "var/lang/lib")


def _copy_libraries(root: Path) -> None:
    """Copy every shared library that Python and its modules link to, each at its own path."""
    binaries = [root / f"var/lang/bin/python{LAMBDA_VERSION}", *root.glob("var/lang/lib/**/*.so*")]
    text = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    linked = set(re.findall(r"(?:=> |^\t)(/\S+) \(", text, re.MULTILINE))
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    for name in LIBRARIES:
        linked.update(re.findall(rf"\t{re.escape(name)} \(.*(?:x86-64|AArch64).*\) => (/\S+)", known)[:1])
    for library in map(Path, linked):
        target = root / library.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library.resolve(), target)


def _install_runtime(root: Path, python: Path) -> None:
    """Install from the wheels that `make setup` fetched; from the package index if one is missing."""
    command: list[str | Path] = [
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile", "--requirement", REQUIREMENTS,
        "--target", root / "var/runtime",
    ]  # fmt: skip
    from_wheels = [*command, "--no-index", "--find-links", WHEELS / "image"]
    if subprocess.run(from_wheels, capture_output=True, check=False).returncode != 0:
        subprocess.run(command, check=True)


def _pack(root: Path, context: io.BufferedIOBase) -> None:
    """Write the build context: a Dockerfile, and an archive of the files that ADD unpacks."""
    files = root.with_suffix(".tar")
    with tarfile.open(files, "w") as archive:
        archive.add(root, arcname=".", filter=_as_root)
    with tarfile.open(fileobj=context, mode="w") as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(DOCKERFILE)
        archive.addfile(entry, io.BytesIO(DOCKERFILE.encode()))
        archive.add(files, arcname="files.tar")
    context.seek(0)


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    if entry.name == "./tmp":
        entry.mode = 0o1777
    return entry
