"""What every command has in common: names, help, exit codes, one sentence for each fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge import __version__
from bridge.app.lock import DataLock
from tests.cli.conftest import Command

FACTS = (
    ("status",),
    ("queue", "list"),
    ("queue", "show", "X"),
    ("queue", "retry", "X"),
    ("queue", "cancel", "X"),
    ("queue", "resolve", "X", "--drop"),
    ("receipts", "list"),
    ("receipts", "show", "X"),
    ("receipts", "delete", "X", "--yes"),
    ("inbox", "search", "X"),
    ("quota",),
    ("sync",),
)
by_name = pytest.mark.parametrize("words", FACTS, ids=" ".join)


@by_name
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_without_a_configuration_it_says_where_it_looked(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: tuple[str, ...],
    form: tuple[str, ...],
) -> None:
    monkeypatch.delenv("PEC_BRIDGE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    done = command(*words, *form)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "--config FILE" in done.err


@by_name
def test_every_fault_of_a_configuration_is_a_line_and_the_exit_code_two(
    command: Command, config: Path, words: tuple[str, ...]
) -> None:
    config.write_text('data_dirr = "x"\n[api]\ntoken = "secret-itself"\n[send]\nplan = "free"\n')
    done = command(*words, "--config", config)
    assert (done.code, done.out) == (2, "")
    missing, *lines = done.err.splitlines()
    assert missing == f"{config}: account: is missing"
    for line, key in zip(lines, ("data_dirr", "api.token", "send.plan"), strict=True):
        assert re.match(rf"{re.escape(str(config))}:\d+: {re.escape(key)}: ", line)
    assert "secret-itself" not in done.err


@pytest.mark.parametrize(
    "words", [("quota",), ("sync",), ("inbox", "search", "X"), ("receipts", "delete", "X", "-y")]
)
def test_a_secret_that_is_missing_is_a_fault_of_the_configuration(
    command: Command, config: Path, words: tuple[str, ...]
) -> None:
    (config.parent / "secret").unlink()
    done = command(*words, "--config", config)
    assert (done.code, done.out) == (2, "")
    assert "api.token: cannot be read from" in done.err
    assert "account[1].password: cannot be read from" in done.err


@pytest.mark.parametrize("words", FACTS[1:], ids=" ".join)
def test_data_that_somebody_holds_without_answering_is_a_failure(
    command: Command, config: Path, words: tuple[str, ...]
) -> None:
    lock = DataLock(config.parent / "data")
    try:
        done = command(*words, "--config", config)
    finally:
        lock.release()
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(
        r"Another pec-bridge \(process \d+\) is using .*; stop that one first\.\n", done.err
    )


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("queue", "show", "X"), "X"),
        (("queue", "cancel", "X"), "X"),
        (("queue", "retry", "X"), "X"),
        (("queue", "resolve", "X", "--sent", "20260115100000123"), "X"),
        (("receipts", "show", "20260101000000"), "20260101000000"),
        (("queue", "list", "--account", "nobody@pec.example"), "nobody@pec.example"),
        (("receipts", "list", "--account", "nobody@pec.example"), "nobody@pec.example"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    command: Command, config: Path, words: tuple[str, ...], named: str
) -> None:
    done = command(*words, "--config", config)
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r"[A-Z].*\.\n", done.err)
    assert named in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("queue", "nonsense"),
        ("status", "--nonsense"),
        ("queue", "list", "--state", "nonsense"),
        ("queue", "resolve", "X"),
        ("queue", "resolve", "X", "--drop", "--resend"),
        ("queue", "show"),
        ("simulator",),
        ("simulator", "--port", "70000"),
        ("simulator", "--port", "0", "--set", "nonsense=1"),
        ("simulator", "--port", "0", "--reading", "nonsense"),
        ("simulator", "--port", "0", "--mailbox", "nonsense"),
        ("serve", "--log", "nonsense"),
        ("demo", "--imap-port", "-1"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_the_exit_code_two(command: Command, words: tuple[str, ...]) -> None:
    done = command(*words)
    assert (done.code, done.out) == (2, "")
    assert "Usage: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [("--help",), ("queue", "-h"), ("demo", "-h")], ids=" ".join)
def test_help_goes_to_standard_output(command: Command, words: tuple[str, ...]) -> None:
    done = command(*words)
    assert (done.code, done.err) == (0, "")
    assert "Usage: pec-bridge" in done.out


def test_the_version(command: Command) -> None:
    done = command("--version")
    assert (done.code, done.out, done.err) == (0, f"pec-bridge {__version__}\n", "")


@pytest.mark.parametrize(
    "words", [(), ("queue",), ("queue", "list"), ("sendmail",), ("help",)], ids=" ".join
)
def test_help_is_what_the_option_shows(command: Command, words: tuple[str, ...]) -> None:
    shown = command("help", *words)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == command(*words, "--help").out
    assert "Usage: pec-bridge" in shown.out


def test_help_for_nothing_there_is_wrong_usage(command: Command) -> None:
    done = command("help", "queue", "nonsense")
    assert (done.code, done.out) == (2, "")
    assert "No such command 'nonsense'" in done.err


def test_a_shell_completes_commands(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PEC_BRIDGE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "pec-bridge queue re")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert command().out.split() == ["retry", "resume", "resolve"]


def test_completion_is_installed(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert command("--install-completion", "bash").code == 0
    script = tmp_path / ".bash_completions" / "pec-bridge.sh"
    assert "_PEC_BRIDGE_COMPLETE=complete_bash" in script.read_text()
    assert str(script) in (tmp_path / ".bashrc").read_text()


def test_a_disk_that_cannot_be_written_is_one_sentence(command: Command, config: Path) -> None:
    (config.parent / "data").write_text("a file is in the way")
    done = command("queue", "list", "--config", config)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"{config.parent / 'data'} cannot be used: File exists.\n"
