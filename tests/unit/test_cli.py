"""The command `vezne` and the make targets: what they say of what is missing or mistyped, and how they end."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import click
import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError
from vezne.orders.store import StoreUnavailableError
from vezne_cli import app, connection, operate, output
from vezne_cli.app import main
from vezne_cli.connection import OperatorError
from vezne_cli.operate import Unknown
from vezne_cli.processes import ROOT, StackError, choose_port
from vezne_cli.stack import running_stack

from tests.faults import soak
from tests.support.asked import whole_number

ID = f"op_{'a' * 26}"
LISTED = Unknown(ID, "paynet.capture", "unknown", "2 h 0 m", "10.00 TRY", 1, "2026-12-01T08:00:00.000Z")


@pytest.fixture(autouse=True)
def no_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a local stack nor AWS is there."""
    monkeypatch.setattr(connection, "STACK_FILE", tmp_path / "stack.json")
    monkeypatch.delenv("VEZNE_STACK", raising=False)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack with one unknown outcome."""
    monkeypatch.setattr(connection, "connect", lambda _stack: {})
    monkeypatch.setattr(operate, "list_unknown", lambda _store: iter([LISTED]))


def of_make(target: str, **variables: str) -> list[str]:
    """What `make target NAME=value` gives to the command."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    settings = [f"{name}={value}" for name, value in variables.items()]
    printed = subprocess.run(
        ["make", "--dry-run", "--silent", "PYTHON=unused", target, *settings],
        cwd=ROOT, env=kept, capture_output=True, text=True, check=True,
    ).stdout.replace("\\\n", " ")  # fmt: skip
    (line,) = [line for line in printed.splitlines() if " -m vezne_cli " in line]
    words = shlex.split(line)
    return words[words.index("vezne_cli") + 1 :]


# ------------------------------------------------------------------ what is typed


@pytest.mark.parametrize(
    ("target", "variables", "said"),
    [
        ("explain", {}, "Missing argument 'OP'. It is op_ with 26 letters and digits"),
        ("explain", {"OP": "op_none"}, "Invalid value for 'OP': op_none is no operation id. It is op_ with 26"),
        ("explain", {"OP": "4355084355084358"}, "Invalid value for 'OP': *** is no operation id"),
        ("resolve", {"AS": "succeeded", "REASON": "why"}, "Missing argument 'OP'. It is op_"),
        ("resolve", {"OP": ID, "REASON": "why"}, "Missing argument 'AS'. It is one of: succeeded, not_executed"),
        ("resolve", {"OP": ID, "AS": "suceeded", "REASON": "why"}, "'AS': There is no decision suceeded; did you mean"),
        ("resolve", {"OP": ID, "AS": "succeeded"}, "Missing argument 'REASON'. Say why"),
        ("resolve", {"OP": ID, "AS": "succeeded", "REASON": " "}, "Missing argument 'REASON'. Say why"),
        ("resolve", {"FILE": "a.csv", "ROW": "x=y"}, "--file has everything in its columns"),
        ("forget", {"REASON": "asked"}, "Missing argument 'OP'."),
        ("forget", {"OP": ID}, "Missing argument 'REASON'."),
        (
            "logs",
            {"FN": "paynet_captur"},
            "There is no function paynet_captur; did you mean paynet_capture? There are:",
        ),
        ("invoke", {"EVENT": "events/paynet_capture.api.json"}, "Missing argument 'FN'. It is one of: get_operation, "),
        ("invoke", {"FN": "paynet_refund"}, "There is no function paynet_refund; did you mean"),
        (
            "invoke",
            {"FN": "paynet_capture"},
            "Missing argument 'EVENT'. It is a file like events/paynet_capture.api.json",
        ),
        ("invoke", {"FN": "paynet_capture", "EVENT": "none.json"}, "'EVENT': There is no file none.json. It is a file"),
        ("breaker", {}, "Missing argument 'PROVIDER'. It is one of: "),
        ("breaker", {"PROVIDER": "paynet", "STATE": "shut"}, "There is no state shut. There are: open, closed"),
        ("breaker", {"PROVIDER": "paynet", "STATE": "open"}, "Missing argument '[REASON]'. Say why"),
        ("reconcile", {}, "Missing argument 'PROVIDER'. It is one of: "),
        ("reconcile", {"PROVIDER": "pynet"}, "There is no provider pynet; did you mean paynet? There are: "),
        (
            "reconcile",
            {"PROVIDER": "paynet", "DATE": "26.11.2026"},
            "26.11.2026 is no day. It is a day like 2026-11-26",
        ),
        ("reconcile", {"PROVIDER": "paynet", "DATE": "2026-02-30"}, "2026-02-30 is no day."),
        ("reconcile", {"PROVIDER": "paynet", "DATE": "9999-12-31"}, "9999-12-31 is to come. The latest day is"),
        ("reconcile", {"PROVIDER": "paynet", "STORED": "1"}, "Missing argument 'DATE'."),
        ("reconcile", {"PROVIDER": "paynet", "FINDING": "a" * 20}, "Missing option '--reason'. Say why"),
        (
            "reconcile",
            {"PROVIDER": "paynet", "REASON": "why"},
            "Missing option '--resolve'. It is 20 digits and letters",
        ),
        (
            "reconcile",
            {"PROVIDER": "paynet", "FINDING": "x", "REASON": "why"},
            "'--resolve': x is no finding. It is 20",
        ),
        ("reconcile", {"PROVIDER": "paynet", "FINDING": "a" * 20, "REASON": "why"}, "Missing argument 'DATE'."),
        ("export", {}, "Missing option '--from'. It is a day like 2026-11-26"),
        ("export", {"FROM": "2020-01-01"}, "Missing option '--to'. It is a day like 2026-11-26"),
        ("export", {"FROM": "2020-01-01", "TO": "2020-11-31"}, "Invalid value for '--to': 2020-11-31 is no day."),
        ("export", {"FROM": "2020-01-01", "TO": "2020-01-02"}, "Missing option '--csv'. It is the file to write, like"),
        (
            "export",
            {"FROM": "2020-01-03", "TO": "2020-01-02", "CSV": "a.csv"},
            "--from 2020-01-03 is later than --to 2020-01-02.",
        ),
        ("export", {"FROM": "2020-01-01", "TO": "9999-12-31", "CSV": "a.csv"}, "'--to': 9999-12-31 is to come."),
        ("client", {"SCOPES": "paynet.capture"}, "Missing argument 'NAME'. It is the client's name, like shop"),
        ("client", {"NAME": "shop"}, "Missing argument 'SCOPES...'. It is one of: operations.read, "),
        (
            "client",
            {"NAME": "shop", "SCOPES": "paynet.check, paynet.captre"},
            "paynet.captre; did you mean paynet.capture?",
        ),
        ("client-rotate", {}, "Missing argument 'NAME'. It is the client's name"),
        ("client-adopt", {}, "Missing argument 'NAME'."),
        ("client-revoke", {}, "Missing argument 'NAME'."),
        ("secrets", {"PROVIDER": "pynet"}, "There is no provider pynet; did you mean paynet? There are: "),
        ("secrets", {"STAGE": "previous"}, "'--stage': There is no stage previous. There are: current, pending"),
        ("secrets-verify", {}, "Missing argument 'PROVIDER'. It is one of: "),
        ("secrets-promote", {}, "Missing argument 'PROVIDER'. It is one of: "),
        (
            "secrets-promote",
            {"PROVIDER": "paynet", "STAGE": "pendng"},
            "did you mean pending? There are: pending, previous",
        ),
    ],
)
def test_what_is_missing_or_mistyped_is_named(
    target: str, variables: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(of_make(target, **variables)) == 2
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("target", "variables", "typed"),
    [
        ("run", {}, ["run"]),
        ("serve", {}, ["serve"]),
        ("logs", {}, ["logs"]),
        ("logs", {"FN": "a", "FOLLOW": "1"}, ["logs", "--follow", "--", "a"]),
        ("unknown", {"STACK": "pay ments"}, ["unknown", "--stack", "pay ments"]),
        (
            "resolve",
            {"OP": ID, "AS": "succeeded", "REASON": "a b", "ROW": "x=y", "CONFIRM": ID, "OVERRIDE": "1", "STACK": "s"},
            ["resolve", "--stack", "s", "--row", "x=y", "--confirm", ID, "--override", "--", ID, "succeeded", "a b"],
        ),
        (
            "resolve",
            {"FILE": "a b.csv", "DRY_RUN": "1", "STACK": "s"},
            ["resolve", "--stack", "s", "--file", "a b.csv", "--dry-run"],
        ),
        (
            "client",
            {"NAME": "shop", "SCOPES": "a b", "PRINCIPAL": "old", "STACK": "s"},
            ["client", "create", "--stack", "s", "--principal", "old", "--", "shop", "a b"],
        ),
        ("breaker", {"PROVIDER": "paynet"}, ["breaker", "--", "paynet"]),
        (
            "breaker",
            {"PROVIDER": "paynet", "STATE": "open", "REASON": "a b", "STACK": "s"},
            ["breaker", "--stack", "s", "--", "paynet", "open", "a b"],
        ),
        ("reconcile", {"PROVIDER": "paynet"}, ["reconcile", "--", "paynet"]),
        (
            "reconcile",
            {"PROVIDER": "paynet", "DATE": "2026-11-26", "STORED": "1", "STACK": "s"},
            ["reconcile", "--stack", "s", "--stored", "--", "paynet", "2026-11-26"],
        ),
        (
            "reconcile",
            {"PROVIDER": "paynet", "DATE": "2026-11-26", "FINDING": "f", "REASON": "a b"},
            ["reconcile", "--resolve", "f", "--reason", "a b", "--", "paynet", "2026-11-26"],
        ),
        (
            "export",
            {"FROM": "2026-11-01", "TO": "2026-11-25", "CSV": "a b.csv", "FORCE": "1", "STACK": "s"},
            ["export", "--stack", "s", "--from", "2026-11-01", "--to", "2026-11-25", "--csv", "a b.csv", "--force"],
        ),
        ("clients", {}, ["client", "list"]),
        ("client-rotate", {"NAME": "shop", "FINISH": "1"}, ["client", "rotate", "--finish", "--", "shop"]),
        ("client-revoke", {"NAME": "shop", "FORCE": "1"}, ["client", "revoke", "--force", "--", "shop"]),
        (
            "secrets-promote",
            {"PROVIDER": "paynet", "STAGE": "previous", "FORCE": "1"},
            ["secrets", "promote", "--stage", "previous", "--force", "--", "paynet"],
        ),
        ("documents", {}, ["documents"]),
    ],
)
def test_make_hands_its_variables_on(target: str, variables: dict[str, str], typed: list[str]) -> None:
    assert of_make(target, **variables) == typed


def test_a_mistyped_command_is_told_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unknwn"]) == 2
    assert "No such command 'unknwn'. Did you mean 'unknown'?" in capsys.readouterr().err


# ------------------------------------------------------------------ how it ends


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OperatorError("not now"), "not now"),
        (StackError("port 1 is taken"), "port 1 is taken"),
        (StoreUnavailableError("timeout"), "The table did not answer: timeout"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Query"), "AWS refused: "),
        (NoCredentialsError(), "AWS cannot be asked: Unable to locate credentials"),
        (
            ModuleNotFoundError("No module named 'ministack'", name="ministack"),
            "ministack is not installed: this needs",
        ),
    ],
)
def test_what_is_expected_to_fail_ends_with_a_sentence(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "connect", Mock(side_effect=error))
    assert main(["unknown"]) == 1
    assert capsys.readouterr().err.startswith(said)


def test_an_error_of_ours_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "connect", Mock(side_effect=KeyError("x")))
    with pytest.raises(KeyError):
        main(["unknown"])


@pytest.mark.parametrize(("command", "code"), [("run", 130), ("serve", 0)])
def test_ctrl_c_ends_serve_as_it_is_meant_to_end(command: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from vezne_cli import local_stack
    from vezne_cli.commands import local

    monkeypatch.setattr(local.signal, "signal", Mock())
    monkeypatch.setattr(local_stack, command, Mock(side_effect=KeyboardInterrupt))
    assert main([command]) == code


def test_without_a_stack_both_ways_to_one_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unknown"]) == 1
    said = capsys.readouterr().err
    assert "No local stack is running: `vezne serve` starts one." in said
    assert "--stack (make: STACK=)" in said


# ------------------------------------------------------------------ variables


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"VEZNE_PORT": "http"}, "VEZNE_PORT=http is no port: take a number from 1 to 65535."),
        ({"VEZNE_PORT": "65536"}, "VEZNE_PORT=65536 is no port: take a number from 1 to 65535."),
        ({"VEZNE_SANDBOX_PORT": "-1"}, "VEZNE_SANDBOX_PORT=-1 is no port: take a number from 1 to 65535."),
        ({"VEZNE_SWEEP_SECONDS": "often"}, "VEZNE_SWEEP_SECONDS=often is no number of seconds: take 0 (no sweeps) to"),
    ],
)
def test_a_variable_that_is_no_such_number(
    variables: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("vezne_cli.commands.local.signal.signal", Mock())
    monkeypatch.setattr("vezne_cli.commands.local.require_project", Mock())
    for name in ("ROOT", "LOCAL"):
        monkeypatch.setattr(f"vezne_cli.processes.{name}", tmp_path)
    monkeypatch.setattr("vezne_cli.processes.STACK_FILE", tmp_path / "stack.json")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(["serve"]) == 1
    assert said in capsys.readouterr().err


def test_two_servers_need_two_ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ROOT", "LOCAL"):
        monkeypatch.setattr(f"vezne_cli.processes.{name}", tmp_path)
    monkeypatch.setattr("vezne_cli.processes.STACK_FILE", tmp_path / "stack.json")
    free = str(choose_port())
    monkeypatch.setenv("VEZNE_PORT", free)
    monkeypatch.setenv("VEZNE_SANDBOX_PORT", free)
    with pytest.raises(StackError, match=f"both {free}: take two ports"), running_stack():
        pass


@pytest.mark.parametrize("asked", ["many", "0", "-5", "1.5", "1e3", "10000001"])
def test_requests_that_are_no_such_number(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEZNE_FUZZ_REQUESTS", asked)
    with pytest.raises(pytest.exit.Exception, match=f"REQUESTS={asked} is no such number: take a whole one from 1 to"):
        whole_number("VEZNE_FUZZ_REQUESTS", 500, 10_000_000, "REQUESTS")


@pytest.mark.parametrize("asked", ["long", "0", "-1", "nan", "inf", "1441", ""])
def test_minutes_that_are_no_such_number(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["soak", "--", asked])
    with pytest.raises(SystemExit) as ended:
        soak.main()
    assert ended.value.code == 2
    assert f"argument MINUTES: {asked} is not a valid number of minutes: use one from" in capsys.readouterr().err


# ------------------------------------------------------------------ a stack that is not there


@pytest.mark.parametrize(("known", "said"), [(["vezne-live"], "; did you mean vezne-live?"), (["others"], ".")])
def test_a_mistyped_stack(
    known: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = ClientError({"Error": {"Code": "ValidationError", "Message": "Stack does not exist"}}, "DescribeStacks")
    pages = [{"Stacks": [{"StackName": name} for name in known]}]
    stacks = Mock(
        describe_stacks=Mock(side_effect=refused),
        get_paginator=Mock(return_value=Mock(paginate=Mock(return_value=pages))),
        meta=Mock(region_name="eu-central-1"),
    )
    monkeypatch.setattr(connection.boto3, "client", lambda _service: stacks)
    monkeypatch.setenv("VEZNE_STACK", "vezne-liv")
    assert main(["unknown"]) == 1
    rights = "in eu-central-1 with these AWS rights (--stack, VEZNE_STACK; make: STACK=)"
    assert capsys.readouterr().err == f"There is no stack vezne-liv {rights}{said}\n"


def test_a_stack_without_a_region(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(connection.boto3, "client", Mock(side_effect=NoRegionError()))
    assert main(["unknown", "--stack", "vezne"]) == 1
    assert "No region is set to look for the stack vezne in: set AWS_DEFAULT_REGION" in capsys.readouterr().err


# ------------------------------------------------------------------ tables and lines


@pytest.mark.usefixtures("listed")
def test_a_program_reads_one_line_for_each_operation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unknown"]) == 0
    assert capsys.readouterr().out == f"{LISTED.line()}\n"


@pytest.mark.usefixtures("listed")
def test_a_person_reads_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setattr("vezne_cli.commands.operate.on_terminal", lambda: True)
    assert main(["unknown"]) == 0
    head, _, row = capsys.readouterr().out.strip().splitlines()
    assert head.split() == ["operation", "id", "operation", "status", "age", "amount", "look-ups", "next", "look-up"]
    assert [cell.strip() for cell in row.split("  ") if cell.strip()] == list(LISTED.cells())


def test_what_others_wrote_is_no_markup_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table(["a"], [["[red]x[/red]"]])
    assert "[red]x[/red]" in capsys.readouterr().out


# ------------------------------------------------------------------ help


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A file of two rows, and what carries it out."""
    rows = [Mock(**{"cells.return_value": (ID, "2")}), Mock(**{"cells.return_value": (ID, "3")})]
    monkeypatch.setattr(connection, "connect", lambda _stack: {})
    monkeypatch.setattr(operate, "operator", lambda: ("somebody", lambda: 0.0))
    monkeypatch.setattr("vezne_cli.decisions.look_up_in", Mock())
    monkeypatch.setattr("vezne_cli.statement.plan", Mock(return_value=rows))
    carry_out = Mock(return_value=iter(["[1/2]", "[2/2]"]))
    monkeypatch.setattr("vezne_cli.statement.carry_out", carry_out)
    return carry_out


@pytest.mark.parametrize(
    ("options", "code", "done"),
    [(["--dry-run"], 0, False), ([], 1, False), (["--confirm", "3"], 1, False), (["--confirm", "2"], 0, True)],
)
def test_a_file_of_decisions_needs_the_number_of_its_rows(
    planned: Mock, options: list[str], code: int, done: bool
) -> None:
    assert main(["resolve", "--file", "statement.csv", *options]) == code
    assert planned.called == done


def test_a_file_that_was_not_done_whole_is_told(planned: Mock, capsys: pytest.CaptureFixture[str]) -> None:
    planned.side_effect = lambda *given: (given[-1].not_done.append("line 3, why"), iter(["[1/2]"]))[1]
    assert main(["resolve", "--file", "statement.csv", "--confirm", "2"]) == 1
    printed = capsys.readouterr()
    assert "line 3, why" in printed.out
    assert "The same file can be given again" in printed.err


def commands(group: click.Group) -> Iterator[tuple[list[str], click.Command]]:
    for name, command in group.commands.items():
        yield [name], command
        if isinstance(command, click.Group):
            for path, inner in commands(command):
                yield [name, *path], inner


ALL: list[tuple[list[str], click.Command]] = list(commands(app.vezne))


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_each_command_has_help_with_an_example(
    path: list[str], command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*path, "--help"]) == 0
    printed = capsys.readouterr().out
    assert command.help.splitlines()[0][:40] in " ".join(printed.split())
    if command.params and not isinstance(command, click.Group):
        assert f"vezne {' '.join(path)}" in printed.partition("Example")[2]


def test_the_help_lists_each_command_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = [
        line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ") and line[2] != " "
    ]
    assert {name for name in listed if name in app.vezne.commands} == set(app.vezne.commands)


def typed_in_documents() -> Iterator[str]:
    """Each line `vezne ...` of a code block, and each `vezne ...` with arguments in a sentence, without its comment."""
    folders = (".github", "functions", "shared", "tests")
    for document in [ROOT / "README.md", *(path for name in folders for path in (ROOT / name).rglob("*.md"))]:
        text = document.read_text()
        lines = re.findall(r"^vezne [a-z].*$", text, re.MULTILINE) + re.findall(r"`(vezne [a-z][^`]*)`", text)
        yield from (re.split(r" +#| [<|] ", line)[0] for line in lines)


@pytest.mark.parametrize("line", sorted(set(typed_in_documents())))
def test_what_the_documents_say_can_be_typed(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Every day that a document names is over.
    monkeypatch.setattr("time.time", lambda: 4e9)
    command: click.Command = app.vezne
    words = shlex.split(line.replace("op_...", ID))[1:]
    named = []
    while words and isinstance(command, click.Group):
        named.append(words[0])
        command = command.commands[words.pop(0)]
    # A sentence may name a command without its arguments.
    if words:
        command.make_context(" ".join(named), words)


def test_names_are_completed() -> None:
    asked = {"_VEZNE_COMPLETE": "bash_complete", "COMP_WORDS": "vezne secrets verify pay", "COMP_CWORD": "3"}
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-m", "vezne_cli"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "shared"), **asked}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "plain,paynet\n"
