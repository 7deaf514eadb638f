"""What bridges on one database tell each other (PostgreSQL manual, NOTIFY).

With each commit goes a line: the writer, its number, and what changed (``words_of``). A thread of
its own hears the others' lines, on a connection of its own. What it does not depend on is that they
arrive: once a second it looks at the number that each writer has come to (``last_commit``), and a
number that it did not hear of means that anything may have changed. So does each new connection.

On a line of its own each tells whose mailboxes its clients have open, every few seconds: who leads
looks for their mail as often as for its own clients'. Who is no longer told of is forgotten.

The same thread sees to statistics (``statistics``), for which nobody waits.

Failure: a connection that is lost is made anew, once a second, until the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Collection, Iterable

import psycopg
import structlog

from bridge.model import AccountId, MailboxId
from bridge.store.news import ANYTHING, Heard, News
from bridge.store.postgres.connection import Connection, connect, cut_off
from bridge.store.postgres.statistics import REFRESH_EVERY_S, refresh

log = structlog.get_logger()

CHANNEL = "pec_bridge"
WATCH_CHANNEL = "pec_bridge_watch"
KNOWN_AS = "pec-bridge: "
"""How the connection is called that hears news: this, and the end of the bridge's name."""

NAME_MOST_BYTES = 63
LOOK_EVERY_S = 1.0
WATCH_EVERY_S = 3.0
"""How often it is told whose mailboxes are open; at once, or nearly, when they are others."""

LINE_MOST = 7000
"""Characters of a line; PostgreSQL takes 8,000 bytes."""
ACCOUNTS_A_LINE = 350
"""Numbers of twenty digits at the most."""

_ANY = "*"
_NUMBERS = (
    "SELECT writer, number FROM last_commit WHERE writer <> $1 AND at > now() - interval '1 hour'"
)

_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name LIKE $1 AND pid <> pg_backend_pid()"
)


def words_of(mailboxes: Collection[MailboxId], accounts: Collection[AccountId]) -> Iterable[str]:
    """Yield what a line says of what changed."""
    yield from (f"m{mailbox}" for mailbox in mailboxes)
    yield from (f"a{account}" for account in accounts)


def line_of(writer: str, number: int, words: Collection[str]) -> str:
    """Return a line: nothing in it has to be quoted."""
    line = " ".join((writer, str(number), *sorted(words)))
    return line if len(line) <= LINE_MOST else f"{writer} {number} {_ANY}"


def news_of(words: Collection[str]) -> News:
    """Return what a line's words say; those of a newer version may be any."""
    if any(word[:1] not in ("m", "a") or not word[1:].isdigit() for word in words):
        return ANYTHING
    return News(
        frozenset(MailboxId(int(word[1:])) for word in words if word[0] == "m"),
        frozenset(AccountId(int(word[1:])) for word in words if word[0] == "a"),
    )


class NewsListener:
    """Hears what other bridges tell; begins when it is built.

    Args:
        told: what ``connection.conninfo_of`` returned.
        name: what others know this bridge by, as long as it is connected.
        writer: under which this bridge writes, of which it hears nothing.
        loop: where ``heard`` is called.
        heard: is told.

    Attributes:
        is_alone: a moment ago no other bridge was connected.
        watched: whose mailboxes clients of this bridge have open.
    """

    def __init__(
        self, told: str, name: str, writer: str, loop: asyncio.AbstractEventLoop, heard: Heard
    ) -> None:
        self._told = told
        self._name = name
        self._writer = writer
        self._loop = loop
        self._heard = heard
        self.is_alone = False
        self.watched: frozenset[AccountId] = frozenset()
        self._told_watched: tuple[float, frozenset[AccountId]] = (float("-inf"), frozenset())
        self._numbers: dict[str, int] = {}
        self._connection: Connection | None = None
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-listener", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Hear nothing any more."""
        self._is_ending.set()
        if self._connection is not None:
            cut_off(self._connection)
        await asyncio.to_thread(self._thread.join)

    # -- on the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        told = ""
        while not self._is_ending.is_set():
            try:
                with contextlib.closing(connect(self._told)) as connection:
                    self._connection = connection
                    self._listen(connection)
            except psycopg.Error as error:
                if not self._is_ending.is_set() and str(error) != told:
                    told = str(error)
                    log.warning("news_not_heard", reason=told)
            self.is_alone = False
            self._is_ending.wait(LOOK_EVERY_S)

    def _listen(self, connection: Connection) -> None:
        room = NAME_MOST_BYTES - len(KNOWN_AS)
        named = KNOWN_AS + self._name.encode()[-room:].decode(errors="ignore")
        connection.execute("SELECT set_config('application_name', $1, false)", (named,))
        connection.execute(f"LISTEN {CHANNEL}; LISTEN {WATCH_CHANNEL}")
        self._numbers = {}
        self._tell(ANYTHING)
        self._look(connection)
        looked_s = refreshed_s = time.monotonic()
        while not self._is_ending.is_set():
            left_s = max(looked_s + LOOK_EVERY_S - time.monotonic(), 0.0)
            for line in connection.notifies(timeout=left_s, stop_after=1):
                if line.channel == WATCH_CHANNEL:
                    self._take_in_watched(line.payload)
                else:
                    self._take_in(line.payload)
            if time.monotonic() - looked_s >= LOOK_EVERY_S:
                self._look(connection)
                looked_s = time.monotonic()
            if looked_s - refreshed_s >= REFRESH_EVERY_S:
                refresh(connection)
                refreshed_s = time.monotonic()

    def _tell_watched(self, connection: Connection) -> None:
        watched, now_s = self.watched, time.monotonic()
        told_s, told = self._told_watched
        if self.is_alone or not watched or (watched == told and now_s - told_s < WATCH_EVERY_S):
            return
        self._told_watched = now_s, watched
        accounts = sorted(watched)
        for at in range(0, len(accounts), ACCOUNTS_A_LINE):
            line = " ".join((self._writer, *map(str, accounts[at : at + ACCOUNTS_A_LINE])))
            connection.execute(f"NOTIFY {WATCH_CHANNEL}, '{line}'")

    def _take_in_watched(self, line: str) -> None:
        writer, *accounts = line.split(" ")
        if writer != self._writer:
            watched = frozenset(AccountId(int(one)) for one in accounts if one.isdigit())
            self._tell(News(frozenset(), frozenset(), watched, of_commit=False))

    def _take_in(self, line: str) -> None:
        writer, number, *words = line.split(" ")
        if writer == self._writer or int(number) <= self._numbers.get(writer, 0):
            return
        is_next = int(number) == self._numbers.get(writer, 0) + 1
        self._numbers[writer] = int(number)
        self._tell(news_of(words) if is_next else ANYTHING)

    def _look(self, connection: Connection) -> None:
        missed = False
        for writer, number in connection.execute(_NUMBERS, (self._writer,)).fetchall():
            if number > self._numbers.get(writer, 0):
                self._numbers[writer] = number
                missed = True
        if missed:
            self._tell(ANYTHING)
        ((others,),) = connection.execute(_OTHERS, (f"{KNOWN_AS}%",)).fetchall()
        self.is_alone = not others
        self._tell_watched(connection)

    def _tell(self, news: News) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed under us
            self._loop.call_soon_threadsafe(self._heard, news)
