"""Commands whose caller closed, filled or abandoned a stream, or speaks another charset."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.running import PATIENCE_S

PROGRAM = Path(sys.executable).with_name("pec-bridge")
COMMANDS = (("status",), ("queue", "list", "--json"), ("sync",), ("queue", "nonsense"))
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(
    config: Path, words: tuple[str, ...], streams: str, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command with its streams redirected as a shell does."""
    plain = words[-1] in ("--help", "nonsense") or words[0] in ("simulator", "sendmail")
    about = () if plain else ("--config", str(config))
    return subprocess.run(
        ["/bin/sh", "-c", f'"$0" "$@" {streams}', PROGRAM, *words, *about],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        env={"PATH": os.environ["PATH"], **environment},
        check=False,
    )


STREAMS = (">&-", "2>&-", "<&-", ">&- 2>&- <&-", ">/dev/full", "2>/dev/full")


def ended() -> Iterator[object]:
    """Give each command with each stream; the default run has every one of both."""
    for (row, words), (column, streams) in product(enumerate(COMMANDS), enumerate(STREAMS)):
        marks = [pytest.mark.slow] if (row + column) % len(COMMANDS) else []
        if "full" in streams:
            marks.append(FULL)
        yield pytest.param(words, streams, marks=marks, id=f"{streams}-{' '.join(words)}")


@pytest.mark.parametrize(("words", "streams"), list(ended()))
def test_no_stream_brings_a_traceback(config: Path, words: tuple[str, ...], streams: str) -> None:
    done = shell(config, words, streams)
    assert done.returncode in (0, 1, 2)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize("streams", [">&-", pytest.param(">/dev/full", marks=FULL)])
@pytest.mark.parametrize(
    "words", [("status",), ("queue", "list", "--json"), ("--help",)], ids=" ".join
)
def test_an_answer_that_cannot_be_written_is_a_failure(
    config: Path, words: tuple[str, ...], streams: str
) -> None:
    done = shell(config, words, streams)
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("The answer could not be written to standard output: ")


def test_a_reader_that_has_seen_enough_is_no_news(config: Path) -> None:
    done = shell(config, ("status",), "| head -c 1")
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_database_never_becomes_standard_output(config: Path) -> None:
    assert shell(config, ("queue", "list"), ">&- 2>&- <&-").returncode == 1
    done = shell(config, ("queue", "list", "--json"), "")
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("charset", ["ascii", "iso-8859-1", "utf-8"])
def test_what_a_terminal_cannot_show_is_escaped(config: Path, charset: str) -> None:
    words = ("queue", "list", "--account", "\u0161\u20ac@pec.example")
    done = shell(config, words, "", PYTHONIOENCODING=charset)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"@pec.example" in done.stderr


@pytest.mark.parametrize("locale", ["C", "it_IT.ISO-8859-1"])
def test_every_locale_gets_its_table(config: Path, locale: str) -> None:
    done = shell(config, ("status",), "", LC_ALL=locale)
    assert (done.returncode, done.stderr) == (1, b"")  # no bridge runs
    assert b"azienda@pec.example" in done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("queue", "show", b"\xff"), 2),
        (("inbox", "search", b"caff\xe8"), 2),
        (("queue", "list", b"--account=\xe8@pec.example"), 2),
        (("simulator", "--port", "0", "--host", b"\xff"), 2),
        (("simulator", "--port", "0", "--mailbox", b"\xff:x"), 2),
        (("sendmail", "-f", b"\xe8@pec.example", "a@pec.example"), 64),
        (("sendmail", b"-FSociet\xe0", "a@pec.example"), 64),
        (("sendmail", b"\xe8@pec.example"), 64),
    ],
)
def test_bytes_that_are_no_text_are_refused(words: tuple[str | bytes, ...], code: int) -> None:
    done = subprocess.run(
        [PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == code
    assert b"not text in UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_folder_of_any_name_can_hold_the_data(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/posta \xe8\xff"
    os.mkdir(folder)
    config = folder + b"/config.toml"
    with open(config, "w") as file:
        file.write(
            'data_dir = "data"\n[api]\nbase_url = "https://api.invalid"\n'
            'token = { env = "T" }\n[[account]]\naddress = "a@pec.example"\n'
            'password = { env = "T" }\n'
        )
    done = subprocess.run(
        [PROGRAM, "queue", "list", "--json", "--config", config],
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--log", "nonsense"),
        ("queue", "list", "--state", "nonsense"),
        ("simulator", "--port", "x"),
        ("simulator", "--port", "70000"),
        ("inbox", "search", "X", "--limit", "x"),
    ],
    ids=" ".join,
)
def test_no_librarys_words_reach_people(config: Path, words: tuple[str, ...]) -> None:
    done = shell(config, words, "")
    assert done.returncode == 2
    assert b"Value error" not in done.stderr
    assert b"Error: Invalid value for" in done.stderr


def test_sendmail_without_a_message_to_read(config: Path) -> None:
    done = shell(config, ("sendmail", "-i", "-C", str(config), "a@pec.example"), "<&-")
    assert done.returncode == 66
    assert b"cannot be read from standard input" in done.stderr
