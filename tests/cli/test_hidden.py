"""A line that is not shown, at a pseudo-terminal: neither shown nor lost, whenever it is typed."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO

import pytest
import typer

from bridge.cli.hidden import read_hidden

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
termios = pytest.importorskip("termios", reason="this system has no pseudo-terminals")

PROMPT = "API key: "
KEY = "5f0c1e-chiave"
PATIENCE_S = 10


def _waits_in_vain(*_args: object) -> None:
    raise TimeoutError("what was typed did not come")


@dataclass
class Terminal:
    """The person's end of a terminal; ``at_the_prompt`` happens while the prompt is written."""

    end: int
    input: TextIO
    monkeypatch: pytest.MonkeyPatch
    at_the_prompt: Callable[[], object] = lambda: None
    written: list[str] = field(default_factory=list)

    @property
    def shows_what_is_typed(self) -> bool:
        return bool(termios.tcgetattr(self.end)[3] & termios.ECHO)

    def ask(self) -> str:
        """Ask here; not from the fixture on, for pytest puts its own streams back before a test."""
        with self.monkeypatch.context() as patch:
            patch.setattr("sys.stdin", self.input)
            patch.setattr("sys.stderr", self)
            before = signal.signal(signal.SIGALRM, _waits_in_vain)
            signal.alarm(PATIENCE_S)
            try:
                return read_hidden(PROMPT)
            finally:
                signal.alarm(0)
                signal.signal(signal.SIGALRM, before)

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def shown(self) -> str:
        """Return what the terminal itself has shown of what was typed."""
        shown = ""
        while select.select([self.end], [], [], 0)[0]:
            shown += os.read(self.end, 4096).decode()
        return shown

    def write(self, text: str) -> None:
        self.written.append(text)
        if text == PROMPT:
            self.at_the_prompt()

    def flush(self) -> None:
        pass


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    end, theirs = pty.openpty()
    with os.fdopen(theirs) as stream:
        yield Terminal(end, stream, monkeypatch)
    os.close(end)


def test_a_key_that_is_pasted_at_the_very_prompt_is_not_shown(terminal: Terminal) -> None:
    terminal.at_the_prompt = lambda: terminal.type(f"{KEY}\n")
    assert terminal.ask() == KEY
    assert terminal.shown() == ""
    assert terminal.written == [PROMPT, "\n"]
    assert terminal.shows_what_is_typed, "again, when it is over"


def test_what_was_typed_before_the_prompt_is_not_lost(terminal: Terminal) -> None:
    terminal.type(f"{KEY}\ny\n")
    assert terminal.ask() == KEY
    assert terminal.input.readline() == "y\n"


def test_nothing_is_no_answer(terminal: Terminal) -> None:
    terminal.type(f"\n  \n {KEY} \n")
    assert terminal.ask() == KEY
    assert terminal.written.count(PROMPT) == 3


def test_the_end_of_input_aborts_and_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.type("\x04")
    with pytest.raises(typer.Abort):
        terminal.ask()
    assert terminal.shows_what_is_typed


def test_ctrl_c_aborts_and_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    terminal.at_the_prompt = interrupted
    with pytest.raises(typer.Abort):
        terminal.ask()
    assert terminal.shows_what_is_typed
