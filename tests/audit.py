"""Audits every pinned package for known vulnerabilities, by the pip-audit beside the interpreter that runs this file.

The list of vulnerabilities comes over the network. Where it cannot be had, pip-audit finds nothing and is content. So
it is first asked about a release whose vulnerability is known; if it does not know that one, the audit is skipped, and
says so.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PINNED = [ROOT / "shared" / "requirements.txt", *sorted(ROOT.glob("requirements*.txt"))]
# CVE-2018-18074: it sent credentials on to another host.
KNOWN = "requests==2.19.0"


def packages(requirements: Path) -> list[dict[str, Any]]:
    """What pip-audit reports of each pinned package. Raises ValueError if it gives no report."""
    command = [
        Path(sys.executable).with_name("pip-audit"), "--requirement", requirements, "--no-deps", "--disable-pip",
        "--format", "json", "--progress-spinner", "off", "--timeout", "10",
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    reported: list[dict[str, Any]] = json.loads(ended.stdout)["dependencies"]
    return reported


def knows_anything() -> bool:
    """Whether the list of vulnerabilities can be had."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"{KNOWN}\n")
        file.flush()
        try:
            return any(package.get("vulns") for package in packages(Path(file.name)))
        except ValueError:
            return False


def findings(requirements: Path) -> list[str]:
    """What is known against the packages, and which of them were not looked at: one line each."""
    lines: list[str] = []
    for package in packages(requirements):
        if "skip_reason" in package:
            lines.append(f"{package['name']}: not audited, {package['skip_reason']}")
        lines += [
            f"{package['name']} {package['version']}: {found['id']}, fixed in {found['fix_versions']}"
            for found in package.get("vulns", [])
        ]
    return lines


def main() -> int:
    """1 if any pinned package has a known vulnerability, or was not looked at."""
    if not knows_anything():
        print(
            f"pip-audit SKIPPED: it knows nothing against {KNOWN}, so the list of vulnerabilities is not to be had here"
        )
        return 0
    found = {line for requirements in PINNED for line in findings(requirements)}
    for line in sorted(found):
        print(line)
    print(f"pip-audit: {len(found)} findings in {len(PINNED)} requirements files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
