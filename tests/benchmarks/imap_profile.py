"""Where the server's time goes: ``python -m tests.benchmarks.imap_profile``, by command.

Fills a mailbox (``--folder`` keeps it for the next run), gives each command below again and again
and prints what one of them costs the server: the processor's time of its process, its threads
among them, which the client and the rest of the machine do not change. With ``--functions`` each
is run once more under cProfile, and the functions of the event loop's thread that cost most are
shown. ``--tree`` measures another checkout of this project in the same run, turn by turn.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import io
import os
import pstats
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bridge.app.responsive import keep_responsive
from tests.benchmarks.imap_client import Client
from tests.benchmarks.imap_servers import Ours, new_loop, serve
from tests.benchmarks.imap_speed import BOX, HEADERS, message, vocabulary

Command = tuple[str, int]
COMMANDS: Mapping[str, Command] = {
    "flags": ("FETCH 1:* (FLAGS)", 1),
    "uid_flags": ("UID FETCH 1:* (FLAGS)", 1),
    "headers": (HEADERS, 1),
    "bodies": ("UID FETCH 1:* (BODY.PEEK[])", 1),
    "envelope_bodystructure": ("UID FETCH 1:* (UID ENVELOPE BODYSTRUCTURE)", 1),
    "search_unseen": ("UID SEARCH UNSEEN", 1),
    "search_subject": ("UID SEARCH SUBJECT consegna", 1),
    "store_all": ("UID STORE 1:* {sign}FLAGS (\\Answered)", 1),
    "noop": ("NOOP", 200),
    "status": (f"STATUS {BOX} (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)", 200),
    "open_one": ("UID FETCH {uid} (BODY.PEEK[])", 200),
    "store_one": ("UID STORE {uid} {sign}FLAGS (\\Flagged)", 100),
}
"""Each with how many of them are one measurement."""

SHOWN = 14
FILLED = "filled"
"""Marks a folder that was filled."""


class Profiled(Ours):
    """The server of some checkout, with a profiler that a signal begins and ends."""

    def __init__(self, folder: Path, tree: Path) -> None:
        super().__init__(folder)
        self._tree = tree
        self._commands = 0

    def command(self) -> list[str]:
        """Return this file as a program of that checkout."""
        own = str(Path(__file__).resolve())
        path = f"PYTHONPATH={self._tree.resolve()}"
        return ["env", path, sys.executable, own, "--serve", str(self.folder)]

    def cpu_ms(self) -> float:
        """Return what the process has computed so far."""
        process = self._running()
        tasks = Path(f"/proc/{process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6

    def switch(self) -> str:
        """Begin a profile, or end it and return what it says."""
        process = self._running()
        process.send_signal(signal.SIGUSR1)
        assert process.stdout is not None
        said = []
        while (line := process.stdout.readline()) != ".\n":
            said.append(line)
        return "".join(said)

    def give(
        self, client: Client, name: str, uids: int, commands: Mapping[str, Command] = COMMANDS
    ) -> None:
        """Give a command as often as one measurement has it."""
        text, times = commands[name]
        for _ in range(times):
            self._commands += 1
            sign = "+-"[self._commands % 2]
            uid = self._commands * 7919 % uids + 1
            client.command(text.format(uid=uid, sign=sign))

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process


async def _serve_profiled(folder: Path) -> None:
    profile: list[cProfile.Profile] = []

    def switch() -> None:
        if not profile:
            profile.append(cProfile.Profile())
            print(".", flush=True)
            profile[0].enable()
            return
        profile[0].disable()
        out = io.StringIO()
        pstats.Stats(profile.pop(), stream=out).sort_stats("tottime").print_stats(SHOWN)
        rows = [row for row in out.getvalue().splitlines() if row.strip()]
        print("\n".join(rows).replace(f"{os.environ['PYTHONPATH']}/", ""), flush=True)
        print(".", flush=True)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, switch)
    await serve(folder)


def _fill(folder: Path, tree: Path, count: int, size_bytes: int) -> None:
    if (folder / FILLED).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    words = vocabulary()
    with Profiled(folder, tree) as server, closing(Client(server.port)) as client:
        client.append_all(BOX, (message(n, size_bytes, words) for n in range(count)))
    (folder / FILLED).touch()


def _measured(server: Profiled, client: Client, name: str, arguments: argparse.Namespace) -> float:
    """Return what one of a command costs, in ms."""
    began_ms = server.cpu_ms()
    server.give(client, name, arguments.messages)
    return (server.cpu_ms() - began_ms) / COMMANDS[name][1]


def _compare(folders: Mapping[Path, Path], arguments: argparse.Namespace) -> None:
    """Measure the commands in each tree, one of them after the other, and print medians."""
    taken: dict[tuple[str, Path], list[float]] = {}
    for _ in range(arguments.starts):
        for tree, folder in folders.items():
            with Profiled(folder, tree) as server, closing(Client(server.port)) as client:
                client.command(f"SELECT {BOX}")
                for name in arguments.commands:
                    server.give(client, name, arguments.messages)
                    costs = taken.setdefault((name, tree), [])
                    costs += [
                        _measured(server, client, name, arguments) for _ in range(arguments.repeats)
                    ]
    for name in arguments.commands:
        medians = [statistics.median(taken[name, tree]) for tree in folders]
        print(f"{name:24}", *(f"{median:10.3f} ms" for median in medians))


def _show_functions(folder: Path, tree: Path, arguments: argparse.Namespace) -> None:
    with Profiled(folder, tree) as server, closing(Client(server.port)) as client:
        client.command(f"SELECT {BOX}")
        for name in arguments.commands:
            server.give(client, name, arguments.messages)
            server.switch()
            server.give(client, name, arguments.messages)
            print(f"-- {name} --\n{server.switch()}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", default=list(COMMANDS), metavar="COMMAND")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=8192, help="bytes of each")
    parser.add_argument("--repeats", type=int, default=5, help="measurements after each start")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--functions", action="store_true", help="show what costs most")
    parser.add_argument("--tree", type=Path, action="append", default=[], help="another checkout")
    parser.add_argument("--folder", type=Path, help="where the mail is kept; a new one by default")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        keep_responsive()
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve_profiled(arguments.serve))
        return
    with tempfile.TemporaryDirectory() as made:
        folder, here = (arguments.folder or Path(made)).resolve(), Path.cwd()
        trees = [here, *arguments.tree]
        # One each: an older checkout does not open what a newer one wrote.
        folders = {tree: folder / str(number) for number, tree in enumerate(trees)}
        for tree, own in folders.items():
            _fill(own, tree, arguments.messages, arguments.size)
        _compare(folders, arguments)
        if arguments.functions:
            _show_functions(folders[here], here, arguments)


if __name__ == "__main__":
    main()
