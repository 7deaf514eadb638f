"""NOTIFY: what a client is told unasked, of the selected mailbox and of others.

Told only while no command is in progress, or in IDLE; a command that comes meanwhile waits for
what is being told. Changes of one mailbox that wait together are told as one STATUS. Who falls
too far behind is told so once, and no more.

RFC 5465. A mailbox that several groups match is told of as the first of them says (§3.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bridge.imap import responses
from bridge.imap.commands import EventGroup, Fetch, Notify
from bridge.imap.mailboxname import DELIMITER
from bridge.imap.parse_notify import SELECTED
from bridge.imap.sections import Item
from bridge.imap.sequence import SequenceSet
from bridge.imapserver.commands.fetch import fetch
from bridge.imapserver.commands.status import status_line
from bridge.imapserver.pace import WORK, CommandShare
from bridge.imapserver.session import Session, SessionState
from bridge.model import (
    INBOX,
    Added,
    Change,
    Expunged,
    FlagsChanged,
    Mailbox,
    MailboxCreated,
    MailboxDeleted,
    MailboxId,
    MailboxRenamed,
    SubscriptionChanged,
)

log = structlog.get_logger()

SUPPORTED = ("FlagChange", "MailboxName", "MessageExpunge", "MessageNew", "SubscriptionChange")
WAITING_LIMIT = 1000
"""Changes to the list of mailboxes that may wait for a client that does not read."""

_EVENT_OF = {Added: "MESSAGENEW", Expunged: "MESSAGEEXPUNGE", FlagsChanged: "FLAGCHANGE"}


class Notifier:
    """One session's standing order."""

    def __init__(self, session: Session, order: Notify) -> None:
        self._session = session
        self._others = [group for group in order.groups if group.filter not in SELECTED]
        self._selected = next((one for one in order.groups if one.filter in SELECTED), None)
        self._pace = CommandShare(session.output)
        self._changed: dict[MailboxId, set[str]] = {}
        self._listed: list[Change] = []
        self._fetched_uid = 0
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Listen to changes from now on."""
        self._unsubscribe = self._session.services.mailboxes.subscribe(self._take_in)
        self.selected_anew()

    def stop(self) -> None:
        """Listen no more."""
        self._unsubscribe()
        self._changed, self._listed = {}, []

    def selected_anew(self) -> None:
        """Note that a mailbox was opened: what is in it is not new."""
        selected = self._session.selected
        self._fetched_uid = selected.view.largest_uid if selected is not None else 0

    async def quiet(self) -> None:
        """Wait until nothing is being told."""
        if self._task is not None:
            await asyncio.wait({self._task})

    def wake(self) -> None:
        """Tell what waits, if it may be told now."""
        if self._task is None and self._may_tell() and self._waits():
            self._task = asyncio.ensure_future(self._tell())
            self._task.add_done_callback(self._told)

    # -- taking in -----------------------------------------------------------------------------

    def _take_in(self, change: Change) -> None:
        match change:
            case Added() | FlagsChanged() | Expunged():
                self._changed.setdefault(change.mailbox, set()).add(_EVENT_OF[type(change)])
            case SubscriptionChanged():
                if change.account == self._session.account:
                    self._listed.append(change)
            case _:
                if change.mailbox.account == self._session.account:
                    self._listed.append(change)
        self.wake()

    def _may_tell(self) -> bool:
        session = self._session
        ended = session.state is SessionState.LOGOUT
        return not (ended or session.busy or session.output.backed_up)

    def _waits(self) -> bool:
        if self._changed or self._listed:
            return True
        selected = self._session.selected
        return selected is not None and (
            selected.view.pending or self._fetched_uid < selected.view.largest_uid
        )

    # -- telling -------------------------------------------------------------------------------

    def _told(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and task.exception() is None:
            if self._changed or self._listed:  # came meanwhile
                self.wake()
            return
        self.stop()
        self._session.notify_by(None)
        cause = None if task.cancelled() else task.exception()
        if not isinstance(cause, ConnectionError):
            log.warning("imap_notify_failed", exc_info=cause)

    async def _tell(self) -> None:
        if len(self._listed) > WAITING_LIMIT:
            self.stop()
            self._session.notify_by(None)
            self._session.send(b"* OK [NOTIFICATIONOVERFLOW] too much has changed\r\n")
            return
        await self._tell_selected()
        changed, self._changed = self._changed, {}
        listed, self._listed = self._listed, []
        boxes = await self._session.services.mailboxes.mailboxes(self._session.owner)
        subscribed = await self._subscribed()
        for change in listed:
            self._tell_name(change, subscribed)
            await self._pace.spend(WORK // 64)
        for box in boxes:
            if box.id in changed and not self._is_selected(box.id):
                await self._tell_status(box, changed[box.id], subscribed)

    async def _tell_selected(self) -> None:
        """Tell the selected mailbox's changes, and fetch what was asked for of new messages."""
        session, group = self._session, self._selected
        if session.selected is None:
            return
        if session.idling or (group is not None and group.events):
            at_once = session.idling or (group is not None and group.filter == "SELECTED")
            flags = session.idling or (group is not None and "FLAGCHANGE" in group.events)
            session.tell_changes(allow_expunge=at_once, flags=flags)
            while session.selected is not None and session.selected.view.behind:
                await session.output.give_way()
                session.tell_changes(allow_expunge=at_once, flags=flags)
        if session.selected is None:
            return
        view = session.selected.view
        first, self._fetched_uid = self._fetched_uid + 1, view.largest_uid
        if group is not None and group.items and self._fetched_uid >= first:
            numbers = SequenceSet(((first, self._fetched_uid),))
            items = tuple(dict.fromkeys((Item.UID, *group.items)))
            await fetch(session, Fetch(uid=True, numbers=numbers, items=items))

    def _is_selected(self, mailbox: MailboxId) -> bool:
        selected = self._session.selected
        return selected is not None and selected.mailbox.id == mailbox

    async def _tell_status(
        self, box: Mailbox, events: set[str], subscribed: frozenset[str]
    ) -> None:
        group = self._group_of(box.name, subscribed)
        if group is None or not group.events & events:
            return
        self._session.send(await status_line(self._session, box, items_of(group)))

    def _tell_name(self, change: Change, subscribed: frozenset[str]) -> None:
        extended = b""
        attributes: list[str] = []
        match change:
            case MailboxCreated(mailbox):
                name = mailbox.name
            case MailboxRenamed(mailbox, old_name):
                name = mailbox.name
                old = responses.mailbox(old_name, utf8=self._session.utf8)
                extended = responses.old_name(old)
            case MailboxDeleted(mailbox):
                name, attributes = mailbox.name, ["\\NonExistent"]
            case SubscriptionChanged():
                name = change.name
            case _:
                return
        event = "SUBSCRIPTIONCHANGE" if isinstance(change, SubscriptionChanged) else "MAILBOXNAME"
        group = self._group_of(name, subscribed)
        if group is None or event not in group.events:
            return
        if name in subscribed:
            attributes.append("\\Subscribed")
        shown = responses.mailbox(name, utf8=self._session.utf8)
        self._session.send(responses.listing("LIST", attributes, shown, extended))

    async def send_statuses(self) -> None:
        """Send STATUS of every mailbox whose messages are to be told of (RFC 5465 §3.1)."""
        subscribed = await self._subscribed()
        for box in await self._session.services.mailboxes.mailboxes(self._session.owner):
            group = self._group_of(box.name, subscribed)
            if group is not None and "MESSAGENEW" in group.events and not self._is_selected(box.id):
                self._session.send(await status_line(self._session, box, items_of(group)))
            await self._pace.spend(WORK // 64)

    async def _subscribed(self) -> frozenset[str]:
        names = await self._session.services.mailboxes.subscriptions(self._session.owner)
        return frozenset(names)

    def _group_of(self, name: str, subscribed: frozenset[str]) -> EventGroup | None:
        return next((one for one in self._others if _matches(one, name, subscribed)), None)


def items_of(group: EventGroup) -> tuple[str, ...]:
    """Return what is told of a mailbox: with FlagChange also where MODSEQ stands (§5.1)."""
    more = ("HIGHESTMODSEQ",) if "FLAGCHANGE" in group.events else ()
    return ("MESSAGES", "UIDNEXT", "UIDVALIDITY", *more)


def _matches(group: EventGroup, name: str, subscribed: frozenset[str]) -> bool:
    match group.filter:
        case "PERSONAL":
            return True
        case "INBOXES":
            return name == INBOX
        case "SUBSCRIBED":
            return name in subscribed
        case "SUBTREE":
            return any(name == one or name.startswith(one + DELIMITER) for one in group.names)
    return name in group.names
