"""What the layer's own build (shared/Makefile) is told on this machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .processes import ROOT
from .set_up import LAMBDA_VERSION

# What `make setup` fetched, by what the layer is built for.
WHEELS = ROOT / ".venv" / "wheels"
_ASK_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def lambda_python() -> Path | None:
    """An interpreter of Lambda's version that really starts: LAMBDA_PYTHON, one on the PATH, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    named = shutil.which(os.environ.get("LAMBDA_PYTHON", f"python{LAMBDA_VERSION}"))
    candidates = [Path(named)] if named else []
    candidates += sorted(pyenv.glob(f"versions/{LAMBDA_VERSION}*/bin/python{LAMBDA_VERSION}"))
    return next(filter(_is_of_lambdas_version, candidates), None)


def _is_of_lambdas_version(python: Path) -> bool:
    asked = subprocess.run([python, "-c", _ASK_VERSION], capture_output=True, text=True, check=False)
    return asked.stdout.strip() == LAMBDA_VERSION


def layer_environment(target: str) -> dict[str, str]:
    """The variables that build the layer for `arm64`, `x86_64` or `local`.

    Where Lambda's interpreter is missing, a layer for Lambda is built without bytecode: it runs, only slower.
    """
    own = {"VEZNE_LAYER_TARGET": target, "PYTHON": sys.executable, "VEZNE_LAYER_WHEELS": str(WHEELS / target)}
    if target == "local":
        return own
    python = lambda_python()
    return {**own, "LAMBDA_PYTHON": str(python)} if python else {**own, "VEZNE_LAYER_BYTECODE": "none"}
