"""Run what README tells a reader to type: the lines of `make serve`, then the client's script, in one shell."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from vezne_cli.processes import ROOT
from vezne_cli.quick_start import LOST_ANSWER, ORDER, curl_lines
from vezne_cli.stack import Stack

README = (ROOT / "README.md").read_text()
CLIENT = (ROOT / "shared/vezne_client/README.md").read_text()
SCRIPT = """
cat >"$FOLDER/your_script.py" <<'END'
{script}
END
PYTHONPATH=shared:. {python} "$FOLDER/your_script.py"
"""


@pytest.fixture(scope="module")
def printed(whole_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of a shell that runs all lines. It has only the exported variables."""
    if not shutil.which("curl"):
        pytest.skip("no curl here")
    whole_stack.sandbox.remove_rules()
    (script,) = re.findall(r"```python\n(.*?)```", CLIENT, re.DOTALL)
    typed = curl_lines(whole_stack) + SCRIPT.format(script=script, python=shlex.quote(sys.executable))
    folder = tmp_path_factory.mktemp("reader")
    own = {"FOLDER": str(folder), "PATH": os.environ["PATH"]}
    done = subprocess.run(["bash", "-eu"], input=typed, env=own, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\r", "")


def test_readme_shows_the_lines_that_serve_prints() -> None:
    assert re.findall(r"```sh\n(.*?)```", README, re.DOTALL) == [ORDER.lstrip(), LOST_ANSWER.lstrip()]


def test_the_lines_show_a_replay_and_a_lost_answer(printed: str) -> None:
    statuses = re.findall(r"^HTTP/1.1 (.*)$", printed, re.MULTILINE)
    assert statuses == ["200 OK", "200 OK", "202 Accepted", "200 OK", "200 OK"]
    _, first, again, lost, known, final = re.split(r"^HTTP/1.1 ", printed, flags=re.MULTILINE)
    assert "Idempotent-Replayed" not in first
    assert "\nIdempotent-Replayed: true\n" in again
    assert "\nRetry-After: 5\n" in lost
    assert [re.findall('"status": "([a-z]+)"', it) for it in (first, again, lost, known, final)] == [
        ["succeeded"], ["succeeded"], ["unknown"], ["unknown"], ["succeeded"],
    ]  # fmt: skip


def test_what_moved_is_what_was_ordered(stack: Stack, printed: str) -> None:
    (booking,) = stack.sandbox.bookings("paynet", "R-1001")
    assert booking["amount"] == "2.00"


def test_the_location_of_a_lost_answer_is_as_readme_shows_it(printed: str) -> None:
    (shown,) = re.findall(r"^Location: (.*/)op_\w+$", README, re.MULTILINE)
    assert f"\nLocation: {shown}op_" in printed


def test_the_script_runs_in_the_same_shell(printed: str) -> None:
    first, second = re.findall(r"^(op_\w+) (?:True|False)", printed, re.MULTILINE)
    assert first == second
    assert re.search(rf"^{second} True$", printed, re.MULTILINE)
