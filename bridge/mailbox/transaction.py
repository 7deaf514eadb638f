"""Changes to mailboxes inside one store transaction: UIDs, MODSEQs and what was changed.

Runs where the store runs its works (see ``store.base``): it may touch nothing but the
transaction. Each step takes the mailbox's next MODSEQ (RFC 7162 §3.1.1) and leaves a ``Change``,
which ``Mailboxes`` publishes once the commit is synced.

Failure: ``NoSuchMailbox``, ``MailboxExists`` for the caller to answer; the store's own errors pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bridge.mailbox.flagchange import FlagChange, FlagsOutcome
from bridge.mailbox.naming import NamingTransaction, NoSuchMailbox
from bridge.mailbox.own_copy import submitted_copy
from bridge.mime.ingest import Ingested
from bridge.model import (
    NEVER_LEFT,
    SENT,
    UNSENT,
    AccountId,
    Added,
    ContentId,
    Expunged,
    Flags,
    FlagsChanged,
    Mailbox,
    MailboxDeleted,
    MailboxId,
    MessageRow,
    ModSeq,
    SpecialUse,
    SubmissionState,
    Uid,
)
from bridge.store.messages import MessageCopy

UID_LIMIT = 0xFFFFFFFF
"""UIDs are 32 bits wide (RFC 3501 §2.3.1.1)."""


class TooManyKeywords(Exception):
    """The mailbox has no room for keywords it does not have yet."""


class MailboxTransaction(NamingTransaction):
    """See the module and ``naming``; valid only while its work runs."""

    async def append(
        self, mailbox: MailboxId, message: Ingested, flags: Flags, internal_date: datetime
    ) -> MessageRow:
        """Put a message at the end of a mailbox and return it.

        A text whose Message-ID is in ``Sent`` already is not added again: the row that is there
        is returned, whether client or outbox came first. One without a Message-ID is known there
        by its bytes, apart from what was added to it when it was submitted. One that never left
        does not come into ``Sent`` by a client's own copy either: that goes as it comes, its UID
        used up.

        Args:
            mailbox: where it is put.
            message: what was worked out of its bytes.
            flags: its first ones, keywords included.
            internal_date: INTERNALDATE, aware.

        Raises:
            NoSuchMailbox: it is gone.
        """
        box = await self._mailbox(mailbox)
        is_unsent = False
        if box.special_use is SpecialUse.SENT:
            if known := await self._known(box, message):
                return known
            is_unsent = await self._is_unsent(box.account, message)
        content = await self.tx.add_content(box.account, message)
        row = await self.append_content(mailbox, content, message.size_bytes, flags, internal_date)
        if is_unsent:
            await self.expunge(mailbox, [row.uid])
        return row

    async def _is_unsent(self, account: AccountId, message: Ingested) -> bool:
        """Tell whether ``Unsent`` shows the last submission of this message."""
        box = _named(await self.tx.mailboxes(account), UNSENT)
        if box is None:
            return False
        if message.message_id is None:
            return await submitted_copy(self.tx, box, message) is not None
        entries = await self.tx.submissions_by_message_id(account, message.message_id)
        if not entries or entries[-1].state not in NEVER_LEFT | {SubmissionState.DISPATCHING}:
            return False  # a try of what is held leaves its copy there
        return await self.tx.uid_by_message_id(box.id, message.message_id) is not None

    async def _known(self, sent: Mailbox, message: Ingested) -> MessageRow | None:
        if message.message_id is None:
            return await submitted_copy(self.tx, sent, message)
        uid = await self.tx.uid_by_message_id(sent.id, message.message_id)
        return None if uid is None else await self.tx.message_row(sent.id, uid)

    async def append_content(
        self,
        mailbox: MailboxId,
        content: ContentId,
        size_bytes: int,
        flags: Flags,
        internal_date: datetime,
    ) -> MessageRow:
        """Put a content the store already has at the end of a mailbox and return the message.

        Args:
            mailbox: where it is put.
            content: the text in the store.
            size_bytes: RFC822.SIZE.
            flags: its first ones, keywords included.
            internal_date: INTERNALDATE, aware.

        Raises:
            NoSuchMailbox: it is gone.
            OverflowError: the mailbox has used up its UIDs.
        """
        row = await self.tx.append_message(
            mailbox, content, size_bytes, flags, internal_date, self._now
        )
        if row is None:
            raise NoSuchMailbox(str(mailbox))
        if row.uid > UID_LIMIT:
            raise OverflowError(f"mailbox {mailbox} has used up its UIDs")
        self.changes.append(Added(mailbox, row.modseq, (row,)))
        return row

    async def change_flags(
        self,
        mailbox: MailboxId,
        uids: Sequence[Uid],
        how: FlagChange,
        flags: Flags,
        unchanged_since: ModSeq | None = None,
    ) -> FlagsOutcome:
        """Change the flags of messages; those changed after ``unchanged_since`` are left alone.

        RFC 3501 §6.4.6, RFC 7162 §3.1.3. A message that has the flags already keeps its MODSEQ.

        Args:
            mailbox: where the messages are.
            uids: which they are; those that are not there are told.
            how: whether ``flags`` are added, removed or put in place of all.
            flags: what is changed, keywords included.
            unchanged_since: a message with a MODSEQ above it is left alone; None: none is.

        Raises:
            NoSuchMailbox: it is gone.
        """
        box = await self._mailbox(mailbox)
        modseq = _next_modseq(box)
        known = await self.tx.flags_of(mailbox, uids)
        conflicts: list[Uid] = []
        changed: dict[Uid, Flags] = {}
        combined: dict[Flags, Flags] = {}  # a mailbox has few sets of flags, shared by many
        for uid, (seen_modseq, old) in known.items():
            if unchanged_since is not None and seen_modseq > unchanged_since:
                conflicts.append(uid)
                continue
            new = combined.get(old)
            if new is None:
                new = combined[old] = how.combine(old, flags)
            if new != old:
                changed[uid] = new
        if changed:
            await self.tx.set_flags(mailbox, tuple(changed.items()), modseq)
            self.changes.append(FlagsChanged(mailbox, modseq, tuple(changed.items())))
        missing = tuple(uid for uid in uids if uid not in known)
        return FlagsOutcome(modseq, changed, tuple(conflicts), missing)

    async def flag_sent(
        self, account: AccountId, content: ContentId, message_id: str, add: Flags, remove: Flags
    ) -> None:
        """Add and remove flags on a sent message: on every copy, whatever mailbox it was moved to.

        Where a client's own copy came first it stands in ``Sent`` for the submitted one: it has
        the Message-ID, perhaps other bytes, and is no submission's.

        Args:
            account: whose message it is.
            content: the submitted text.
            message_id: by which a client's own copy is known; "" for none.
            add: flags that every copy is to have.
            remove: flags that none is to have, but for those in ``add``.
        """
        boxes = await self.tx.mailboxes(account)
        for copy in await self._sent_copies(boxes, account, content, message_id):
            known = await self.tx.flags_of(copy.mailbox, (copy.uid,))
            old = known[copy.uid][1]
            new = FlagChange.REMOVE.combine(old, remove) | add
            if new != old:
                await self.change_flags(copy.mailbox, (copy.uid,), FlagChange.SET, new)

    async def place_sent(
        self,
        account: AccountId,
        messages: Sequence[tuple[ContentId, str]],
        *,
        in_sent: bool,
        boxes: Sequence[Mailbox] = (),
    ) -> None:
        """Move submitted messages into ``Sent`` (out of ``Unsent``), or the other way round.

        Only what stands in the one goes to the other: a copy that somebody filed elsewhere stays
        there, and one that was deleted does not come back. Flags, keywords and INTERNALDATE stay.

        Args:
            account: whose they are.
            messages: each one's text and Message-ID; see ``flag_sent`` for a client's own copy.
            in_sent: whether they belong in ``Sent``.
            boxes: the account's mailboxes, if they are known; they are read otherwise.
        """
        boxes = boxes or await self.tx.mailboxes(account)
        sent = next((box for box in boxes if box.special_use is SpecialUse.SENT), None)
        unsent = _named(boxes, UNSENT)
        source, target = (unsent, sent) if in_sent else (sent, unsent)
        if source is None or source == target:
            return
        uids = {
            copy.uid
            for content, message_id in messages
            for copy in await self._sent_copies(boxes, account, content, message_id)
            if copy.mailbox == source.id
        }
        if not uids:
            return
        if target is None:
            target = await self._create_for_sent(account, in_sent=in_sent)
        await self.move(source.id, sorted(uids), target.id)

    async def _create_for_sent(self, account: AccountId, *, in_sent: bool) -> Mailbox:
        name = SENT if in_sent else UNSENT
        box = await self.create(account, name, SpecialUse.SENT if in_sent else None)
        await self.subscribe(account, name)
        return box

    async def _sent_copies(
        self, boxes: Sequence[Mailbox], account: AccountId, content: ContentId, message_id: str
    ) -> list[MessageCopy]:
        copies = list(await self.tx.copies(content))
        for box in boxes:
            uid = None
            if message_id and (box.special_use is SpecialUse.SENT or box.name == UNSENT):
                uid = await self.tx.uid_by_message_id(box.id, message_id)
            row = None if uid is None else await self.tx.message_row(box.id, uid)
            if row is not None and not await self.tx.submissions_of_content(account, row.content):
                copies.append(MessageCopy(box.id, row.uid))
        return copies

    async def copy(
        self,
        source: MailboxId,
        uids: Sequence[Uid],
        target: MailboxId,
        *,
        all_or_none: bool = False,
    ) -> tuple[tuple[Uid, Uid], ...]:
        """Copy messages with flags and dates; return (old UID, new UID) of each, in order.

        Messages that no longer exist are passed over; with ``all_or_none`` nothing is copied then
        (RFC 3501 §6.4.7, RFC 2180 §4.4.1).

        Args:
            source: where the messages are.
            uids: which they are.
            target: where they go.
            all_or_none: nothing is done if one of them is gone.

        Raises:
            NoSuchMailbox: the target is gone.
            OverflowError: the target has used up its UIDs.
        """
        box = await self._mailbox(target)
        first, modseq = box.uid_next, _next_modseq(box)
        olds = await self.tx.message_rows(source, uids)
        if all_or_none and len(olds) < len(uids):
            return ()
        added = tuple(
            replace(old, uid=Uid(first + place), modseq=modseq, saved_at=self._now)
            for place, old in enumerate(olds)
        )
        if added:
            if added[-1].uid > UID_LIMIT:
                raise OverflowError(f"mailbox {target} has used up its UIDs")
            await self.tx.add_messages(target, added)
            self.changes.append(Added(target, modseq, added))
        return tuple((old.uid, new.uid) for old, new in zip(olds, added, strict=True))

    async def move(
        self,
        source: MailboxId,
        uids: Sequence[Uid],
        target: MailboxId,
        *,
        all_or_none: bool = False,
    ) -> tuple[tuple[Uid, Uid], ...]:
        """Move messages (RFC 6851): copy and expunge in one; deletes nothing at the API.

        Args:
            source: where the messages are.
            uids: which they are.
            target: where they go.
            all_or_none: nothing is done if one of them is gone.

        Raises:
            NoSuchMailbox: the target is gone.
            OverflowError: the target has used up its UIDs.
        """
        pairs = await self.copy(source, uids, target, all_or_none=all_or_none)
        await self.expunge(source, [old for old, _ in pairs])
        return pairs

    async def expunge(self, mailbox: MailboxId, uids: Sequence[Uid]) -> tuple[Uid, ...]:
        """Take messages out for good; return the UIDs that were there, in order.

        When the last copy of a text goes, and the text is a row of the API's inbox, that it is to
        be deleted there is written down in the same commit.
        """
        gone, contents = await self._remove(mailbox, uids)
        box = await self._mailbox(mailbox)
        unshown = await self.tx.unshown(contents)
        for content in unshown:
            await self.tx.record_deletion_intent(box.account, content, self._now)
        await self.tx.mark_orphans(unshown, self._now)
        return gone

    async def withdraw(self, mailbox: MailboxId, content: ContentId) -> tuple[Uid, ...]:
        """Take a content that vanished at the API out of one mailbox; copies elsewhere stay."""
        uids = [copy.uid for copy in await self.tx.copies(content) if copy.mailbox == mailbox]
        gone, _ = await self._remove(mailbox, uids)
        return gone

    async def _remove(
        self, mailbox: MailboxId, uids: Sequence[Uid]
    ) -> tuple[tuple[Uid, ...], list[ContentId]]:
        box = await self._mailbox(mailbox)
        rows = await self.tx.message_rows(mailbox, uids)
        gone = tuple(row.uid for row in rows)
        if gone:
            modseq = _next_modseq(box)
            await self.tx.remove_messages(mailbox, gone, modseq, self._now)
            self.changes.append(Expunged(mailbox, modseq, gone))
        return gone, list(dict.fromkeys(row.content for row in rows))

    async def delete(self, mailbox: MailboxId) -> None:
        """Delete a mailbox and expunge its messages.

        Raises:
            NoSuchMailbox: it is gone.
        """
        box = await self._mailbox(mailbox)
        uids = [Uid(row[0]) for row in await self.tx.index_rows(mailbox)]
        await self.expunge(mailbox, uids)
        await self.tx.remove_mailbox(mailbox)
        self.changes.append(MailboxDeleted(box))


def _next_modseq(mailbox: Mailbox) -> ModSeq:
    return ModSeq(mailbox.highest_modseq + 1)


def _named(boxes: Sequence[Mailbox], name: str) -> Mailbox | None:
    return next((box for box in boxes if box.name == name), None)
