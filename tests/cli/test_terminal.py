"""The administration commands on a real terminal: questions, a key that is not shown, Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.simulator import AdminOperation
from tests.cli.administered import Administered, administered
from tests.cli.conftest import Command
from tests.registration.test_whole import GOOD
from tests.running import until

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
termios = pytest.importorskip("termios", reason="this system has no pseudo-terminals")

pytestmark = pytest.mark.slow

PATIENCE_S = 60.0
"""For one word of a dialogue: an interpreter starts for each command, on a busy machine."""

WHOLE_S = 180.0
"""For one command from its start to its end, whatever it shows meanwhile."""

PROGRAM = (sys.executable, "-c", "from bridge.cli import main; main()")
QUESTIONS = (
    ("the address wanted", "casella_pec"),
    ("the kind of mailbox", "tipo_casella"),
    ("who the holder is", "tipo_cliente"),
    ("what the holder does", "sottotipo_cliente"),
    ("first name", "nome_richiedente"),
    ("surname", "cognome_richiedente"),
    ("codice fiscale:", "codice_fiscale_richiedente"),
    ("sex", "sesso_richiedente"),
    ("date of birth", "data_nascita_richiedente"),
    ("country of birth", "nazione_nascita_richiedente"),
    ("place of birth", ""),
    ("province of birth", "provincia_nascita_richiedente"),
    ("an ordinary mail address", "email"),
    ("telephone", "telefono"),
    ("name of the company", "denominazione_titolare"),
    ("its partita IVA", "cf_piva_titolare"),
    ("street and number", "indirizzo_titolare"),
    ("town", "comune_titolare"),
    ("postal code", "cap_titolare"),
    ("province, two letters", "provincia_titolare"),
    ("country, two letters", "nazione_titolare"),
)


@pytest.fixture
async def world(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Administered]:
    async with administered(command, tmp_path, monkeypatch) as found:
        yield found


class Terminal:
    """A command on a pseudo-terminal; its methods block, but not for ever."""

    def __init__(self, config: Path, *words: str) -> None:
        self.shown = ""
        self._at = 0
        self._until = time.monotonic() + WHOLE_S
        self._end, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*PROGRAM, *words, "--config", str(config)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def expect(self, words: str) -> None:
        """Read until the words are shown."""
        while words not in self.shown[self._at :]:
            assert self._read(), f"{words!r} did not come: {self.shown[self._at :]!r}"
        self._at = self.shown.index(words, self._at) + len(words)

    def _read(self) -> bool:
        """Return whether something more was shown.

        Raises:
            TimeoutError: nothing came, or no end, within what a command may take.
        """
        left = min(PATIENCE_S, self._until - time.monotonic())
        if left <= 0 or not select.select([self._end], [], [], left)[0]:
            raise TimeoutError(f"neither words nor an end came after {self.shown!r}")
        try:
            content = os.read(self._end, 4096)
        except OSError:  # how Linux says that the other end is closed
            content = b""
        self.shown += content.decode("utf-8", "replace")
        return bool(content)

    @property
    def shows_what_is_typed(self) -> bool:
        return bool(termios.tcgetattr(self._end)[3] & termios.ECHO)

    def type(self, line: str) -> None:
        os.write(self._end, f"{line}\n".encode())

    def end(self) -> int:
        """Read to the end, and return the exit status."""
        while self._read():
            pass
        return self.process.wait(max(1.0, self._until - time.monotonic()))

    def close(self) -> None:
        """Leave nothing behind, also after a test that failed."""
        self.process.kill()
        os.close(self._end)  # before the wait: unread output must not hold the program
        self.process.wait(PATIENCE_S)


@contextmanager
def terminal_with(config: Path, *words: str) -> Iterator[Terminal]:
    terminal = Terminal(config, *words)
    try:
        yield terminal
    finally:
        terminal.close()


async def test_a_registration_is_asked_for_field_by_field(world: Administered) -> None:
    with terminal_with(world.config, "mailbox", "register") as terminal:

        def answer() -> int:
            for shown, name in QUESTIONS:
                terminal.expect(shown)
                if name == "cap_titolare":
                    terminal.type("!")
                    terminal.expect("cap_titolare must be a postal code")
                terminal.type(str(GOOD[name]) if name else "")
            terminal.expect("120.78 EUR")
            terminal.expect("[y/N]")
            terminal.type("y")
            return terminal.end()

        assert await asyncio.to_thread(answer) == 0, terminal.shown
        assert "commercio" in terminal.shown
        assert "notaio" not in terminal.shown, "only the trades of the customer that was chosen"
    (box,) = world.admin.registry.boxes.values()
    assert box.address == GOOD["casella_pec"]


async def test_the_key_is_asked_for_and_not_shown(world: Administered) -> None:
    with terminal_with(world.config, "wallet") as terminal:

        def answer() -> int:
            terminal.expect("E-mail of the account")
            terminal.type(world.admin.email)
            terminal.expect("API key")
            assert not terminal.shows_what_is_typed, "from the prompt on"
            terminal.type(world.admin.api_key)
            return terminal.end()

        assert await asyncio.to_thread(answer) == 0, terminal.shown
        assert "500.00 EUR" in terminal.shown
        assert world.admin.email in terminal.shown
        assert world.admin.api_key not in terminal.shown


async def test_ctrl_c_ends_a_watch_without_noise(world: Administered) -> None:
    id = await world.registered()
    with terminal_with(world.config, "mailbox", "watch", id) as terminal:
        await asyncio.to_thread(terminal.expect, "state: registrata")
        await until(lambda: world.calls().count(AdminOperation.SHOW) == 2)
        terminal.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(terminal.end) == 130, terminal.shown
        assert "Traceback" not in terminal.shown
