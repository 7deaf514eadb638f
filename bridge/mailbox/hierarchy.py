"""The rules of an account's mailboxes, whoever asks: what may be made, renamed, deleted.

Each rule is checked in the transaction that carries the change out, so that no other change comes
between. RFC 3501 §6.3.3 to §6.3.7; RFC 6154 §3; RFC 9051 §6.3.4, §6.3.5.

Failure: ``MailboxRefused``, with a reason that a front end puts into its own protocol's code;
nothing was changed then.
"""

from __future__ import annotations

from enum import Enum, auto

from bridge.imap.mailboxname import DELIMITER, canonical, fault_of, parents
from bridge.limits import MAILBOX_LEVELS, MAILBOXES
from bridge.mailbox.mailboxes import Mailboxes
from bridge.mailbox.transaction import MailboxTransaction
from bridge.model import INBOX, AccountId, Mailbox, MailboxId, SpecialUse, Uid

NEEDED = frozenset({SpecialUse.SENT, SpecialUse.DRAFTS, SpecialUse.TRASH})
"""What the bridge and mail programs put messages into."""


class Refusal(Enum):
    """Why a change is refused."""

    NOT_ALLOWED = auto()
    EXISTS = auto()
    MISSING = auto()
    TOO_MANY = auto()
    SPECIAL_USE = auto()


class MailboxRefused(Exception):
    """A rule forbids it; ``text`` is a sentence for whoever asked."""

    def __init__(self, refusal: Refusal, text: str) -> None:
        super().__init__(text)
        self.refusal = refusal
        self.text = text


async def create(
    mailboxes: Mailboxes, account: AccountId, name: str, special_use: SpecialUse | None = None
) -> Mailbox:
    """Make a mailbox, and the levels above it where they are missing.

    Args:
        mailboxes: where.
        account: whose.
        name: in any spelling, with or without a delimiter at its end.
        special_use: what it is for, which no other of the account may be for.

    Raises:
        MailboxRefused: the name can be none or is taken, there are too many, or another has that
            use.
    """
    name = _checked(name)

    async def work(mtx: MailboxTransaction) -> Mailbox:
        boxes = await _by_name(mtx, account)
        _check_free(boxes, name)
        if special_use is not None and any(
            box.special_use is special_use for box in boxes.values()
        ):
            raise MailboxRefused(
                Refusal.SPECIAL_USE, f"another mailbox is for {special_use.value} already"
            )
        await _create_parents(mtx, account, name, boxes)
        return await mtx.create(account, name, special_use)

    return await mailboxes.write(work)


async def delete(mailboxes: Mailboxes, account: AccountId, name: str) -> Mailbox:
    """Delete a mailbox and what is in it; those below it stay. Return what it was.

    Raises:
        MailboxRefused: there is none, or it has to stay.
    """
    name = canonical(name)
    if name == INBOX:
        raise MailboxRefused(Refusal.NOT_ALLOWED, "INBOX can't be deleted")

    async def work(mtx: MailboxTransaction) -> Mailbox:
        box = await mtx.tx.mailbox_named(account, name)
        if box is None:
            raise MailboxRefused(Refusal.MISSING, "no such mailbox")
        if box.special_use in NEEDED:
            raise MailboxRefused(
                Refusal.NOT_ALLOWED, f"{box.name} can't be deleted: the bridge needs it"
            )
        await mtx.delete(box.id)
        return box

    return await mailboxes.write(work)


async def rename(mailboxes: Mailboxes, account: AccountId, old: str, new: str) -> None:
    """Rename a mailbox with all below it; INBOX stays, and its messages move to the new one.

    Args:
        mailboxes: where.
        account: whose.
        old: its name now. A level that was deleted is there while others are below it.
        new: its name to be; levels above that are missing are made.

    Raises:
        MailboxRefused: there is none, or the new name can be none, is taken or is below the old.
    """
    old, new = canonical(old.removesuffix(DELIMITER)), _checked(new)

    async def work(mtx: MailboxTransaction) -> None:
        boxes = await _by_name(mtx, account)
        below = [box for box in boxes.values() if box.name.startswith(old + DELIMITER)]
        if old not in boxes and not below:
            raise MailboxRefused(Refusal.MISSING, "no such mailbox")
        _check_free(boxes, new)
        if old == INBOX:
            await _create_parents(mtx, account, new, boxes)
            await _move_all(mtx, boxes[old].id, await mtx.create(account, new))
            return
        if new.startswith(old + DELIMITER):
            raise MailboxRefused(Refusal.NOT_ALLOWED, "a mailbox can't be moved below itself")
        await _create_parents(mtx, account, new, boxes)
        if old in boxes:
            await mtx.rename(boxes[old].id, new)
        for box in below:
            await mtx.rename(box.id, _checked(new + box.name[len(old) :]))

    await mailboxes.write(work)


async def subscribe(mailboxes: Mailboxes, account: AccountId, name: str) -> None:
    """Subscribe to a name, which need be no mailbox's (RFC 3501 §6.3.6).

    Raises:
        MailboxRefused: it can be no mailbox's, or there are too many.
    """
    name = _checked(name)

    async def work(mtx: MailboxTransaction) -> None:
        known = await mtx.tx.subscriptions(account)
        if name not in known:
            _check_room(len(known) + 1, "subscriptions")
        await mtx.subscribe(account, name)

    await mailboxes.write(work)


async def unsubscribe(mailboxes: Mailboxes, account: AccountId, name: str) -> None:
    """Drop a name; one that can be no mailbox's only if it is there.

    Raises:
        MailboxRefused: it can be no mailbox's, and was not subscribed to.
    """
    name = canonical(name.removesuffix(DELIMITER))

    async def work(mtx: MailboxTransaction) -> None:
        if name not in await mtx.tx.subscriptions(account):
            _checked(name)
        await mtx.unsubscribe(account, name)

    await mailboxes.write(work)


def _checked(name: str) -> str:
    name = canonical(name.removesuffix(DELIMITER))
    fault = fault_of(name)
    if fault:
        raise MailboxRefused(Refusal.NOT_ALLOWED, fault)
    if name.count(DELIMITER) >= MAILBOX_LEVELS:
        raise MailboxRefused(
            Refusal.NOT_ALLOWED, f"a mailbox name has at most {MAILBOX_LEVELS} levels"
        )
    return name


def _check_free(boxes: dict[str, Mailbox], name: str) -> None:
    if name in boxes:
        raise MailboxRefused(Refusal.EXISTS, "a mailbox of that name exists")


def _check_room(wanted: int, what: str) -> None:
    if wanted > MAILBOXES:
        raise MailboxRefused(Refusal.TOO_MANY, f"an account has at most {MAILBOXES} {what}")


async def _by_name(mtx: MailboxTransaction, account: AccountId) -> dict[str, Mailbox]:
    return {box.name: box for box in await mtx.tx.mailboxes(account)}


async def _create_parents(
    mtx: MailboxTransaction, account: AccountId, name: str, boxes: dict[str, Mailbox]
) -> None:
    """Make what is missing above ``name``, for which itself there has to be room too."""
    missing = [parent for parent in parents(name) if parent not in boxes]
    _check_room(len(boxes) + len(missing) + 1, "mailboxes")
    for parent in missing:
        await mtx.create(account, parent)


async def _move_all(mtx: MailboxTransaction, source: MailboxId, target: Mailbox) -> None:
    uids = [Uid(row[0]) for row in await mtx.tx.index_rows(source)]
    await mtx.move(source, uids, target.id)
