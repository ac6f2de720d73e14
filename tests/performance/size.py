"""The size of the layer, package by package, unpacked and in a zip."""

import zipfile
from collections import Counter
from pathlib import Path
from typing import Any


def sizes(layer: Path, archive: Path) -> dict[str, Any]:
    """The bytes of each package and of all, unpacked and zipped as `sam package` does. `layer` holds `python/`."""
    unpacked: Counter[str] = Counter()
    zipped: Counter[str] = Counter()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for path in sorted((layer / "python").rglob("*")):
            if path.is_file():
                content.write(path, path.relative_to(layer))
        for entry in content.infolist():
            package = _package(entry.filename)
            unpacked[package] += entry.file_size
            zipped[package] += entry.compress_size
    packages = {name: {"unpacked": unpacked[name], "zipped": zipped[name]} for name, _ in unpacked.most_common()}
    total = {"unpacked": unpacked.total(), "zipped": archive.stat().st_size}
    return {"packages": packages, "total": total, "bytecode": any(layer.rglob("*.pyc"))}


def _package(filename: str) -> str:
    """The package to which a file of the layer belongs. Metadata belongs to it, too."""
    parts = Path(filename).parts
    first = parts[2] if parts[1] == "__pycache__" else parts[1]
    return first.split(".")[0].split("-")[0].replace("python_stdnum", "stdnum")
