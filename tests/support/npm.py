"""Folders that npm fills, once per checkout: programs that tests need and that are no Python packages."""

import shutil
import subprocess
from pathlib import Path

from vezne_cli.processes import lock


def fetched(folder: Path, arguments: list[str], *given: Path) -> str | None:
    """Let npm fill the folder, beside the given files, unless it is there. None, or else the reason why it is not."""
    with lock(folder.with_name(f"{folder.name}.lock")):
        if folder.is_dir():
            return None
        if not shutil.which("npm"):
            return "no npm here"
        # The folder is complete or missing: a fetch that was interrupted leaves another one.
        new = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for file in given:
            shutil.copy(file, new)
        command = ["npm", *arguments, "--silent", "--no-audit", "--ignore-scripts", "--prefix", str(new)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            return f"npm could not fetch {folder.name}"
        new.rename(folder)
        return None
