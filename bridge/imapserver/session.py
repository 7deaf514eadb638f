"""One client's session: what state it is in, what it selected, what it enabled. No socket.

``run`` takes one command at a time, looks it up in the table, lets its handler write responses to
the ``Output``, tells pending changes as the table allows, and ends with the tagged reply. An
exception that is no reply is logged and answered ``NO [SERVERBUG]``; the session goes on.

RFC 3501 §3 (states), §7.4.1 (when EXPUNGE may be told), RFC 7162 §3.1 (CONDSTORE).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, TypeVar

import structlog

from bridge.imap.commands import Tagged
from bridge.imap.mailboxname import fault_of
from bridge.imapserver.output import Output, StandingOrder
from bridge.imapserver.recent import claimed
from bridge.imapserver.reply import UNFORESEEN, Bad, No, answer_to
from bridge.imapserver.selected import Selected, flag_lines
from bridge.imapserver.services import Services
from bridge.imapserver.view import View
from bridge.model import (
    AccountId,
    Added,
    Change,
    Expunged,
    Flags,
    FlagsChanged,
    Mailbox,
    MailboxDeleted,
    Uid,
)
from bridge.store.base import StoreFailed

log = structlog.get_logger()

SERVER_NAME = "pec-bridge"
MAILBOX_DELETED = "the mailbox was deleted"
"""Of the ways RFC 2180 §3 leaves, the one every client understands: log in again and look."""


class SessionState(Enum):
    """Where a session stands (RFC 3501 §3)."""

    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


C = TypeVar("C")

Handler = Callable[["Session", C], Awaitable[str | None]]
"""Carries out one class of command; returns the text after OK, None for the usual one."""


class Session:
    """See the module. What it holds is changed by its own methods only.

    Attributes:
        utf8: names go out in UTF-8 (UTF8=ACCEPT or IMAP4rev2 was enabled).
        saved: UIDs of the last search that said SAVE (RFC 5182).
        tag: the tag of the command under way.
        busy: a command is under way, and it is not IDLE.
        on_update: called with each change while the client is in IDLE.
    """

    def __init__(self, services: Services, output: Output, peer: str) -> None:
        self.services = services
        self.output = output
        self.peer = peer
        self.account: AccountId | None = None
        self.login = ""
        self.tried = ""
        self.state = SessionState.NOT_AUTHENTICATED
        self.selected: Selected | None = None
        self.enabled: set[str] = set()
        self.saved: list[int] = []
        self.failures = 0
        self.tag = ""
        self.busy = False
        self.on_update: Callable[[], None] | None = None
        self.notifier: StandingOrder | None = None

    # -- what handlers use -------------------------------------------------------------------

    @property
    def owner(self) -> AccountId:
        """The account logged in to.

        Raises:
            Bad: nobody has logged in.
        """
        if self.account is None:
            raise Bad("log in first")
        return self.account

    @property
    def open(self) -> Selected:
        """The selected mailbox.

        Raises:
            Bad: no mailbox is selected.
        """
        if self.selected is None:
            raise Bad("select a mailbox first")
        return self.selected

    @property
    def writable(self) -> Selected:
        """The selected mailbox, if it was not opened by EXAMINE.

        Raises:
            Bad: no mailbox is selected.
            No: it was opened by EXAMINE.
        """
        if self.open.read_only:
            raise No("the mailbox is open read-only; SELECT it to change it")
        return self.open

    @property
    def idling(self) -> bool:
        """Whether the client is in IDLE."""
        return self.on_update is not None

    @property
    def utf8(self) -> bool:
        """Whether names and strings may be UTF-8."""
        return bool(self.enabled & {"UTF8=ACCEPT", "IMAP4REV2"})

    @property
    def shows_recent(self) -> bool:
        r"""Whether ``\\Recent`` is spoken of: IMAP4rev2 has done away with it (RFC 9051 §E)."""
        return "IMAP4REV2" not in self.enabled

    async def mailbox(self, name: str, code: str = "NONEXISTENT") -> Mailbox:
        """Return the mailbox called ``name``, or end the command with NO.

        TRYCREATE is said only of what could be created (RFC 3501 §6.3.11).

        Raises:
            No: there is none.
        """
        mailboxes = self.services.mailboxes
        mailbox = await mailboxes.find(self.owner, name)
        if mailbox is None:
            await mailboxes.look(accounts={self.owner})
            mailbox = await mailboxes.find(self.owner, name)
        if mailbox is None:
            fault = fault_of(name)
            raise No(fault or "no such mailbox", code if not fault else "CANNOT")
        return mailbox

    async def mailbox_now(self, name: str) -> Mailbox:
        """Likewise, with what other bridges committed to it before the command came."""
        await self.look_at_names()
        mailbox = await self.mailbox(name)
        await self.services.mailboxes.look({mailbox.id})
        return mailbox

    async def look(self) -> None:
        """Take in what other bridges committed to the open mailbox before the command came."""
        if self.selected is not None:
            await self.services.mailboxes.look({self.selected.mailbox.id})

    async def look_at_names(self) -> None:
        """Likewise for the account's mailboxes, their names and which there are."""
        await self.services.mailboxes.look(accounts={self.owner})

    def send(self, line: bytes) -> None:
        """Send one response or several."""
        self.output.write(line)

    def send_all(self, pieces: Sequence[bytes]) -> None:
        """Send whole responses in pieces."""
        self.output.write_all(pieces)

    def flags_of(self, uid: int, flags: Flags) -> Sequence[str]:
        r"""Return flags as this session sees them, ``\\Recent`` among them."""
        if self.selected is not None and uid in self.selected.recent:
            return [*flags, "\\Recent"]
        return list(flags)

    # -- what changes a session's state ------------------------------------------------------

    def enter(self, account: AccountId, login: str) -> None:
        """Be logged in to ``account`` from now on, by the name ``login``."""
        self.account, self.login = account, login
        self.state = SessionState.AUTHENTICATED

    def try_as(self, login: str) -> None:
        """Note by which name a login is tried; it may be a password typed at the wrong place."""
        self.tried = login

    def count_failure(self) -> None:
        """Count a wrong password."""
        self.failures += 1

    def end(self) -> None:
        """Take no more commands."""
        self.state = SessionState.LOGOUT

    def save(self, uids: Sequence[int]) -> None:
        """Keep a search's result for ``$`` (RFC 5182 §2.1)."""
        self.saved = list(uids)

    def notify_by(self, notifier: StandingOrder | None) -> None:
        """Let ``notifier`` tell of changes from now on, nobody with None (RFC 5465)."""
        self.notifier = notifier

    @contextmanager
    def idle(self, on_update: Callable[[], None]) -> Iterator[None]:
        """Call ``on_update`` with each change meanwhile, and count as not busy (RFC 2177)."""
        self.on_update, self.busy = on_update, False
        try:
            yield
        finally:
            self.on_update, self.busy = None, True

    def enable(self, names: Iterable[str]) -> None:
        """Speak these extensions from now on (RFC 5161)."""
        self.enabled.update(names)
        if self.enabled & {"CONDSTORE", "QRESYNC"}:
            self.enable_condstore()
        if self.selected is not None:
            self.selected.view.qresync = "QRESYNC" in self.enabled
            if not self.shows_recent:
                self.selected.recent.clear()

    def enable_condstore(self) -> None:
        """Show MODSEQ from now on, and say where it stands (RFC 7162 §3.1.1)."""
        self.enabled.add("CONDSTORE")
        if self.selected is not None and not self.selected.view.condstore:
            self.selected.view.condstore = True
            modseq = self.selected.view.index.highest_modseq
            self.send(b"* OK [HIGHESTMODSEQ %d] the highest\r\n" % modseq)

    # -- selection ---------------------------------------------------------------------------

    async def select(self, mailbox: Mailbox, *, read_only: bool) -> Selected:
        """Open a mailbox, having closed the one before."""
        mailboxes = self.services.mailboxes
        index = await mailboxes.index(mailbox.id)
        view = View(index)
        view.condstore = bool(self.enabled & {"CONDSTORE", "QRESYNC"})
        view.qresync = "QRESYNC" in self.enabled
        unsubscribe = mailboxes.subscribe_mailbox(self.owner, mailbox.id, self._changed)
        self.selected = Selected(mailbox, view, read_only, unsubscribe)
        self.state = SessionState.SELECTED
        await self._claim_recent(self.selected)
        if self.notifier is not None:
            self.notifier.selected_anew()
        return self.selected

    async def deselect(self) -> None:
        """Close the open mailbox without expunging."""
        if self.selected is None:
            return
        selected, self.selected = self.selected, None
        selected.unsubscribe()
        self.saved = []
        if self.state is SessionState.SELECTED:
            self.state = SessionState.AUTHENTICATED

    async def _claim_recent(self, selected: Selected) -> None:
        if not self.shows_recent:
            return
        index = selected.view.index
        first = await self.services.recent.claim(
            self.services.mailboxes, selected.mailbox.id, index.uid_next, selected.read_only
        )
        selected.recent.update(index.uids[bisect_left(index.uids, first) :])

    def _changed(self, change: Change) -> None:
        selected = self.selected
        if selected is None:
            return
        match change:
            case Added(mailbox=mailbox, messages=messages):
                selected.view.note(change)
                below = Uid(messages[-1].uid + 1)
                first = self.services.recent.claim_now(mailbox, below, selected.read_only)
                uids = [one.uid for one in messages if one.uid >= first]
                claims = self.shows_recent and uids and not selected.read_only
                if claims and self.services.mailboxes.has_company():
                    claiming = claimed(self.services.mailboxes, mailbox, uids)
                    selected.claim_later(claiming, self._claimed)
                    return
                if self.shows_recent:
                    selected.recent.update(uids)
            case FlagsChanged() | Expunged():
                selected.view.note(change)
            case MailboxDeleted():
                selected.gone = True
                if not self.busy:
                    self.output.hang_up(MAILBOX_DELETED)
        if self.on_update is not None:
            self.on_update()

    def _claimed(self) -> None:
        if self.on_update is not None:
            self.on_update()

    def tell_changes(self, *, allow_expunge: bool, flags: bool = True) -> None:
        """Send what the client was not told yet; without ``flags`` those wait."""
        selected = self.selected
        if selected is None or not selected.view.pending:
            return
        self.tell_keywords()
        lines = selected.view.flush(self.flags_of, allow_expunge=allow_expunge, flags=flags)
        selected.recent = {uid for uid in selected.recent if selected.view.number(uid)}
        if self.shows_recent and any(b" EXISTS" in line for line in lines):
            lines.append(b"* %d RECENT\r\n" % len(selected.recent))
        if lines:
            self.send(b"".join(lines))

    def tell_keywords(self) -> None:
        """Send the flags in use if there are new ones, before they are seen on a message."""
        selected = self.selected
        if selected is None or selected.told_keywords == len(selected.view.index.keywords):
            return
        self.send(flag_lines(selected))

    # -- running commands --------------------------------------------------------------------

    async def run(
        self,
        tagged: Tagged,
        handler: Handler[Any],
        states: frozenset[SessionState],
        *,
        allow_expunge: Callable[[], bool],
    ) -> None:
        """Carry one command out and send its tagged reply.

        ``allow_expunge`` is asked at the end whether expunges may be told now.

        Args:
            tagged: the command, with its tag.
            handler: carries it out.
            states: those in which it may be given.
            allow_expunge: asked at the end whether expunges may be told now.
        """
        if self.notifier is not None:
            await self.notifier.quiet()
        self.tag, self.busy = tagged.tag, True
        reply = await self._reply(tagged, handler, states)
        if self.selected is not None:
            await self.selected.settle_claims()
        if self.selected is not None and self.selected.view.pending:
            allowed = allow_expunge()
            self.tell_changes(allow_expunge=allowed)
            while self.selected is not None and self.selected.view.behind:
                await self.output.give_way()
                self.tell_changes(allow_expunge=allowed)
        self.send(tagged.tag.encode("ascii") + b" " + reply.encode("utf-8") + b"\r\n")
        self.busy = False
        if self.selected is not None and self.selected.gone:
            self.output.hang_up(MAILBOX_DELETED)
        elif self.notifier is not None:
            self.notifier.wake()

    async def close(self) -> None:
        """End whatever is still going on; the client is gone, or will be."""
        self.end()
        if self.notifier is not None:
            self.notifier.stop()
            await self.notifier.quiet()
        await self.deselect()

    async def _reply(
        self,
        tagged: Tagged,
        handler: Handler[Any],
        states: frozenset[SessionState],
    ) -> str:
        if self.state not in states:
            return f"BAD {tagged.name} is not valid while {self.state.value}"
        try:
            text = await handler(self, tagged.command)
        except ConnectionError:
            raise
        except Exception as error:
            return self._failure(tagged.name, error)
        return f"OK {text or tagged.name.title() + ' completed'}"

    def _failure(self, command: str, error: Exception) -> str:
        """Return the reply to an exception, having logged what is the server's own fault."""
        answer = answer_to(error)
        if isinstance(error, StoreFailed):
            log.error("store_failed", command=command, cause=str(error))
        elif answer == UNFORESEEN:
            log.error("imap_command_failed", command=command, exc_info=error)
        return answer
