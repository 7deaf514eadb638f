"""The contract of ``store.messages``, for every backend."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.clock import ROME
from bridge.mime.ingest import ingest
from bridge.model import (
    FLAGGED,
    SEEN,
    AccountId,
    ContentId,
    Flag,
    Flags,
    Mailbox,
    MailboxId,
    MessageRow,
    ModSeq,
    SpecialUse,
    Uid,
)
from bridge.spool import PIECE_BYTES, Spooled, SpoolFile
from bridge.store.base import Store, StoreFailed, Transaction
from bridge.store.messages import MessageCopy, Part, TextField
from tests.bound import bound
from tests.costs.measure import peak
from tests.store.made import NOW, ingested, row


async def fill(
    store: Store, mailbox: Mailbox, *subjects: str, flags: Flags = frozenset()
) -> list[MessageRow]:
    """Put a message of each subject into a mailbox and return the rows."""

    async def work(tx: Transaction) -> list[MessageRow]:
        box = await tx.mailbox(mailbox.id)
        assert box is not None
        rows = []
        for uid, subject in enumerate(subjects, start=box.uid_next):
            content = await tx.add_content(mailbox.account, ingested(subject))
            rows.append(row(uid, content, modseq=box.highest_modseq + 1, flags=flags))
        await tx.add_messages(mailbox.id, rows)
        return rows

    return await store.write(work)


# -- accounts, mailboxes, subscriptions --------------------------------------------------------


@pytest.mark.parametrize("asked", ["azienda@pec.example", "AZIENDA@Pec.Example"])
async def test_an_account_is_found_in_any_case(
    store: Store, account: AccountId, asked: str
) -> None:
    assert await store.read(lambda tx: tx.account(asked)) == account


async def test_an_unknown_account_is_none(store: Store) -> None:
    assert await store.read(lambda tx: tx.account("nobody@pec.example")) is None


async def test_a_new_mailbox_is_empty_and_starts_at_one(store: Store, account: AccountId) -> None:
    made = await store.write(
        lambda tx: tx.add_mailbox(account, "Sent", SpecialUse.SENT, 1_700_000_000)
    )
    assert made == Mailbox(
        made.id, account, "Sent", 1_700_000_000, Uid(1), ModSeq(1), SpecialUse.SENT
    )
    assert await store.read(lambda tx: tx.mailbox(made.id)) == made


async def test_mailboxes_come_by_name(store: Store, account: AccountId) -> None:
    for name in ("Sent", "Archivio/2026", "INBOX"):
        await store.write(bound(lambda tx, name: tx.add_mailbox(account, name, None, 1), name))
    boxes = await store.read(lambda tx: tx.mailboxes(account))
    assert [box.name for box in boxes] == ["Archivio/2026", "INBOX", "Sent"]


async def test_a_uidvalidity_is_never_given_twice(store: Store, account: AccountId) -> None:
    first = await store.write(lambda tx: tx.add_mailbox(account, "A", None, 1000))
    await store.write(lambda tx: tx.remove_mailbox(first.id))
    again = await store.write(lambda tx: tx.add_mailbox(account, "A", None, 1000))
    earlier_clock = await store.write(lambda tx: tx.add_mailbox(account, "B", None, 5))
    assert first.uid_validity < again.uid_validity < earlier_clock.uid_validity
    assert again.id != first.id


async def test_a_mailbox_name_exists_once(store: Store, inbox: Mailbox) -> None:
    with pytest.raises(StoreFailed):
        await store.write(lambda tx: tx.add_mailbox(inbox.account, "INBOX", None, 1))


async def test_a_renamed_mailbox_keeps_everything_else(store: Store, inbox: Mailbox) -> None:
    await fill(store, inbox, "one")
    before = await store.read(lambda tx: tx.mailbox(inbox.id))
    await store.write(lambda tx: tx.rename_mailbox(inbox.id, "Vecchia"))
    after = await store.read(lambda tx: tx.mailbox(inbox.id))
    assert before is not None
    assert after is not None
    assert (after.name, after.uid_validity, after.uid_next) == (
        "Vecchia",
        before.uid_validity,
        before.uid_next,
    )


async def test_a_removed_mailbox_takes_its_messages_along(store: Store, inbox: Mailbox) -> None:
    (message,) = await fill(store, inbox, "one")
    await store.write(lambda tx: tx.remove_mailbox(inbox.id))
    assert await store.read(lambda tx: tx.mailbox(inbox.id)) is None
    assert await store.read(lambda tx: tx.copies(message.content)) == ()


async def test_recent_starts_at_the_first_uid_and_moves(store: Store, inbox: Mailbox) -> None:
    assert await store.read(lambda tx: tx.recent_from(inbox.id)) == 1
    await store.write(lambda tx: tx.set_recent_from(inbox.id, Uid(7)))
    assert await store.read(lambda tx: tx.recent_from(inbox.id)) == 7
    assert await store.read(lambda tx: tx.recent_from(MailboxId(999))) == 1


async def test_subscriptions_are_a_sorted_set(store: Store, account: AccountId) -> None:
    for name in ("Sent", "INBOX", "Sent"):
        await store.write(bound(lambda tx, name: tx.add_subscription(account, name), name))
    for name in ("Sent", "never subscribed"):
        await store.write(bound(lambda tx, name: tx.remove_subscription(account, name), name))
    await store.write(lambda tx: tx.add_subscription(account, "Archivio"))
    assert await store.read(lambda tx: tx.subscriptions(account)) == ("Archivio", "INBOX")


# -- messages ----------------------------------------------------------------------------------


async def test_added_messages_move_uidnext_and_modseq(store: Store, inbox: Mailbox) -> None:
    await fill(store, inbox, "one", "two")
    box = await store.read(lambda tx: tx.mailbox(inbox.id))
    assert box is not None
    assert (box.uid_next, box.highest_modseq) == (3, 2)


async def test_an_appended_message_gets_the_next_numbers(store: Store, inbox: Mailbox) -> None:
    async def work(tx: Transaction) -> list[MessageRow | None]:
        content = await tx.add_content(inbox.account, ingested())
        flags = frozenset({SEEN})
        return [
            await tx.append_message(box, content, 7, flags, NOW, NOW)
            for box in (inbox.id, inbox.id, MailboxId(999))
        ]

    first, second, nowhere = await store.write(work)
    assert first is not None
    assert second is not None
    assert [(row.uid, row.modseq) for row in (first, second)] == [(1, 2), (2, 3)]
    assert nowhere is None
    assert await store.read(lambda tx: tx.message_row(inbox.id, Uid(2))) == second
    box = await store.read(lambda tx: tx.mailbox(inbox.id))
    assert box is not None
    assert (box.uid_next, box.highest_modseq) == (3, 3)


async def test_a_message_comes_back_as_it_was(store: Store, inbox: Mailbox) -> None:
    rome = NOW.astimezone(ROME)
    flags = frozenset({SEEN, Flag("$PecAccepted")})

    async def work(tx: Transaction) -> MessageRow:
        content = await tx.add_content(inbox.account, ingested())
        message = MessageRow(Uid(4), ModSeq(9), flags, rome, NOW, 123, content)
        await tx.add_messages(inbox.id, [message])
        return message

    written = await store.write(work)
    read = await store.read(lambda tx: tx.message_row(inbox.id, Uid(4)))
    assert read == written
    assert read is not None
    assert read.internal_date.utcoffset() == timedelta(hours=1)
    assert await store.read(lambda tx: tx.message_row(inbox.id, Uid(5))) is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param([], [], id="none"),
        pytest.param([1, 2, 3], [1, 2, 3], id="neighbours"),
        pytest.param([3, 1], [1, 3], id="scattered, unordered"),
        pytest.param([1, 1, 3], [1, 3], id="one twice is no range"),
        pytest.param([2, 9], [2], id="one missing"),
    ],
)
async def test_rows_and_flags_are_of_the_messages_asked_for(
    store: Store, inbox: Mailbox, asked: list[int], found: list[int]
) -> None:
    await fill(store, inbox, "one", "two", "three", flags=frozenset({FLAGGED}))
    uids = [Uid(uid) for uid in asked]
    rows = await store.read(lambda tx: tx.message_rows(inbox.id, uids))
    flags = await store.read(lambda tx: tx.flags_of(inbox.id, uids))
    assert [message.uid for message in rows] == found
    assert flags == {uid: (ModSeq(2), frozenset({FLAGGED})) for uid in uids if uid in found}
    assert list(flags) == found


async def test_index_rows_are_all_messages_in_uid_order(store: Store, inbox: Mailbox) -> None:
    rows = await fill(store, inbox, "one", "two", flags=frozenset({SEEN, FLAGGED}))
    moment = int(NOW.timestamp())
    assert await store.scan(lambda tx: tx.index_rows(inbox.id)) == [
        (uid, 2, "\\Flagged \\Seen", moment, 0, moment, 9, message.content)
        for uid, message in enumerate(rows, start=1)
    ]


async def test_index_rows_come_in_batches(store: Store, inbox: Mailbox) -> None:
    await fill(store, inbox, "one", "two", "three")
    for after, limit, uids in ((0, 2, [1, 2]), (2, 2, [3]), (3, 2, []), (1, None, [2, 3])):
        rows = await store.scan(
            bound(lambda tx, to: tx.index_rows(inbox.id, after=to[0], limit=to[1]), (after, limit))
        )
        assert [row[0] for row in rows] == uids


async def test_set_flags_replaces_and_moves_modseq(store: Store, inbox: Mailbox) -> None:
    await fill(store, inbox, "one", "two", flags=frozenset({SEEN}))
    await store.write(
        lambda tx: tx.set_flags(inbox.id, [(Uid(2), frozenset({FLAGGED}))], ModSeq(7))
    )
    flags = await store.read(lambda tx: tx.flags_of(inbox.id, [Uid(1), Uid(2)]))
    assert flags == {
        Uid(1): (ModSeq(2), frozenset({SEEN})),
        Uid(2): (ModSeq(7), frozenset({FLAGGED})),
    }
    box = await store.read(lambda tx: tx.mailbox(inbox.id))
    assert box is not None
    assert box.highest_modseq == 7


async def test_removed_messages_are_remembered_by_modseq(store: Store, inbox: Mailbox) -> None:
    await fill(store, inbox, "one", "two", "three")
    await store.write(lambda tx: tx.remove_messages(inbox.id, [Uid(3)], ModSeq(5), NOW))
    await store.write(lambda tx: tx.remove_messages(inbox.id, [Uid(1)], ModSeq(6), NOW))
    for since, gone in ((4, (1, 3)), (5, (1,)), (6, ())):
        assert (
            await store.read(
                bound(lambda tx, since: tx.expunged_since(inbox.id, ModSeq(since)), since)
            )
            == gone
        )
    rows = await store.scan(lambda tx: tx.index_rows(inbox.id))
    assert [values[0] for values in rows] == [2]
    box = await store.read(lambda tx: tx.mailbox(inbox.id))
    assert box is not None
    assert (box.uid_next, box.highest_modseq) == (4, 6)


async def test_a_message_is_found_by_its_message_id(store: Store, inbox: Mailbox) -> None:
    async def work(tx: Transaction) -> None:
        for uid in (1, 2):
            message = ingested(f"copy {uid}", message_id="<a@b>")
            content = await tx.add_content(inbox.account, message)
            await tx.add_messages(inbox.id, [row(uid, content)])

    await store.write(work)
    assert await store.read(lambda tx: tx.uid_by_message_id(inbox.id, "<a@b>")) == 1
    assert await store.read(lambda tx: tx.uid_by_message_id(inbox.id, "<A@b>")) is None
    assert await store.read(lambda tx: tx.uid_by_message_id(MailboxId(999), "<a@b>")) is None


# -- contents ----------------------------------------------------------------------------------


async def test_the_same_bytes_are_one_content_of_an_account(
    store: Store, account: AccountId
) -> None:
    first = await store.write(lambda tx: tx.add_content(account, ingested("one")))
    again = await store.write(lambda tx: tx.add_content(account, ingested("one")))
    other = await store.write(lambda tx: tx.add_account("other@pec.example"))
    elsewhere = await store.write(lambda tx: tx.add_content(other, ingested("one")))
    assert again == first != elsewhere
    digest = ingested("one").sha256
    assert await store.read(lambda tx: tx.content_by_digest(account, digest)) == first
    assert await store.read(lambda tx: tx.content_by_digest(account, b"?" * 32)) is None


@pytest.mark.parametrize("part", Part)
async def test_a_piece_is_stored_as_it_was_made(
    store: Store, account: AccountId, part: Part
) -> None:
    message = ingested("one", body="corpo")
    content = await store.write(lambda tx: tx.add_content(account, message))
    stored = {
        Part.ENVELOPE: message.imap_envelope,
        Part.BODY: message.imap_body,
        Part.BODYSTRUCTURE: message.imap_bodystructure,
        Part.PARTS: message.parts,
        Part.HEADER: message.header,
        Part.RAW: message.raw,
        Part.PREVIEW: message.preview,
    }
    assert await store.read(lambda tx: tx.pieces([content], [part])) == [(content, stored[part])]


async def test_pieces_of_several_tables_come_together_by_content(
    store: Store, account: AccountId
) -> None:
    contents = [
        await store.write(bound(lambda tx, s: tx.add_content(account, ingested(s)), subject))
        for subject in ("one", "two", "three")
    ]
    parts = [Part.RAW, Part.ENVELOPE, Part.PREVIEW]
    asked = [contents[2], contents[0], ContentId(999)]
    rows = await store.read(lambda tx: tx.pieces(asked, parts))
    assert rows == [
        (content, ingested(subject).raw, b"(envelope of %b)" % subject.encode(), "testo")
        for content, subject in ((contents[0], "one"), (contents[2], "three"))
    ]
    assert await store.read(lambda tx: tx.pieces([], parts)) == []


@pytest.mark.parametrize(
    ("start", "length_bytes", "found"),
    [(0, 7, b"Subject"), (9, 3, b"one"), (0, 10_000, None), (10_000, 5, b"")],
)
async def test_raw_is_read_by_offset(
    store: Store, account: AccountId, start: int, length_bytes: int, found: bytes | None
) -> None:
    content = await store.write(lambda tx: tx.add_content(account, ingested("one")))
    read = await store.read(lambda tx: tx.raw(content, start, length_bytes))
    assert read == (ingested("one").raw if found is None else found)


async def test_raw_of_a_missing_content_is_empty(store: Store) -> None:
    assert await store.read(lambda tx: tx.raw(ContentId(999), 0, 10)) == b""


async def test_copies_are_all_messages_of_a_content(store: Store, inbox: Mailbox) -> None:
    (message,) = await fill(store, inbox, "one")
    trash = await store.write(
        lambda tx: tx.add_mailbox(inbox.account, "Trash", SpecialUse.TRASH, 1)
    )
    await store.write(lambda tx: tx.add_messages(trash.id, [row(5, message.content)]))
    assert await store.read(lambda tx: tx.copies(message.content)) == (
        MessageCopy(inbox.id, Uid(1)),
        MessageCopy(trash.id, Uid(5)),
    )
    unshown = await store.write(lambda tx: tx.add_content(inbox.account, ingested("unshown")))
    assert await store.read(lambda tx: tx.unshown([message.content, unshown])) == [unshown]


async def test_an_orphan_is_dropped_once_its_time_has_come(
    store: Store, account: AccountId
) -> None:
    content = await store.write(lambda tx: tx.add_content(account, ingested("one")))
    await store.write(lambda tx: tx.mark_orphans([content], NOW))
    assert await store.write(lambda tx: tx.drop_orphans(NOW, 10)) == 0
    assert await store.write(lambda tx: tx.drop_orphans(NOW + timedelta(seconds=1), 10)) == 1
    assert await store.read(lambda tx: tx.pieces([content], [Part.RAW])) == []
    assert (
        await store.read(lambda tx: tx.content_by_digest(account, ingested("one").sha256)) is None
    )


async def test_an_orphan_that_is_shown_again_stays(store: Store, inbox: Mailbox) -> None:
    (message,) = await fill(store, inbox, "one")
    await store.write(lambda tx: tx.mark_orphans([message.content], NOW))
    assert await store.write(lambda tx: tx.drop_orphans(NOW + timedelta(days=1), 10)) == 0
    assert len(await store.read(lambda tx: tx.pieces([message.content], [Part.RAW]))) == 1


async def test_orphans_are_dropped_in_batches(store: Store, account: AccountId) -> None:
    async def work(tx: Transaction) -> None:
        made = [await tx.add_content(account, ingested(f"n. {n}")) for n in range(5)]
        await tx.mark_orphans(made, NOW)

    await store.write(work)
    later = NOW + timedelta(days=1)
    dropped = [await store.write(lambda tx: tx.drop_orphans(later, 2)) for _ in range(4)]
    assert dropped == [2, 2, 1, 0]


# -- header fields -----------------------------------------------------------------------------


async def test_a_header_set_is_learned_once(store: Store) -> None:
    first = await store.write(lambda tx: tx.add_header_set("FROM SUBJECT"))
    assert await store.write(lambda tx: tx.add_header_set("FROM SUBJECT")) == first
    assert await store.read(lambda tx: tx.header_sets()) == {"FROM SUBJECT": first}


async def test_header_fields_kept_later_are_found(store: Store, account: AccountId) -> None:
    content = await store.write(lambda tx: tx.add_content(account, ingested("one")))
    number = await store.write(lambda tx: tx.add_header_set("SUBJECT"))
    kept = b"Subject: one\r\n\r\n"
    assert await store.read(lambda tx: tx.header_fields(number, [content])) == {}
    for _ in range(2):
        await store.write(
            lambda tx: tx.keep_header_fields(number, [(content, kept), (ContentId(999), b"gone")])
        )
    asked = [content, ContentId(999)]
    assert await store.read(lambda tx: tx.header_fields(number, asked)) == {content: kept}
    assert await store.read(lambda tx: tx.header_fields(number, [])) == {}


async def test_a_new_content_gets_the_learned_fields_at_once(
    store: Store, account: AccountId
) -> None:
    number = await store.write(lambda tx: tx.add_header_set("SUBJECT"))
    content = await store.write(lambda tx: tx.add_content(account, ingested("one")))
    found = await store.read(lambda tx: tx.header_fields(number, [content]))
    assert found == {content: b"Subject: one\r\n\r\n"}


# -- search and sort ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "needle", "hits"),
    [
        pytest.param(TextField.SUBJECT, "consegna", [1], id="subject"),
        pytest.param(TextField.FROM, "anna", [1, 2], id="from"),
        pytest.param(TextField.TO, "bruno@pec", [1, 2], id="to"),
        pytest.param(TextField.CC, "carla", [1, 2], id="cc"),
        pytest.param(TextField.BCC, "dario", [1, 2], id="bcc"),
        pytest.param(TextField.HEADER, "subject:consegna", [1], id="header"),
        pytest.param(TextField.SUBJECT, "nowhere", [], id="nothing"),
        pytest.param(TextField.SUBJECT, "%", [], id="no wildcard"),
        pytest.param(TextField.SUBJECT, "", [1, 2], id="the empty string is everywhere"),
    ],
)
async def test_text_is_found_as_a_substring(
    store: Store, inbox: Mailbox, field: TextField, needle: str, hits: list[int]
) -> None:
    rows = await fill(store, inbox, "consegna", "altro")
    found, doubtful = await store.scan(lambda tx: tx.matching_text(inbox.id, field, needle))
    assert [uid for uid, message in enumerate(rows, 1) if message.content in found] == hits
    assert doubtful == []


async def test_text_is_looked_for_in_one_mailbox(store: Store, inbox: Mailbox) -> None:
    other = await store.write(lambda tx: tx.add_mailbox(inbox.account, "B", None, 1))
    await fill(store, inbox, "consegna")
    (there,) = await fill(store, other, "consegna altrove")
    for field in (TextField.SUBJECT, TextField.BODY):
        needle = "consegna" if field is TextField.SUBJECT else "testo"
        found, _ = await store.scan(
            bound(lambda tx, to: tx.matching_text(other.id, *to), (field, needle))
        )
        assert found == [there.content]


async def test_a_cut_body_is_doubtful_unless_it_matches(store: Store, inbox: Mailbox) -> None:
    async def work(tx: Transaction) -> list[ContentId]:
        bodies = (("ricevuta", True), ("ricevuta", False), ("altro", False), ("altro", True))
        contents = []
        for uid, (body, whole) in enumerate(bodies, start=1):
            message = ingested(f"n. {uid}", body=body, body_is_whole=whole)
            contents.append(await tx.add_content(inbox.account, message))
            await tx.add_messages(inbox.id, [row(uid, contents[-1])])
        return contents

    contents = await store.write(work)
    found, doubtful = await store.scan(
        lambda tx: tx.matching_text(inbox.id, TextField.BODY, "ricevuta")
    )
    assert found == contents[:2]
    assert doubtful == [contents[2]]


async def test_texts_of_a_field_are_of_each_content_once(store: Store, inbox: Mailbox) -> None:
    rows = await fill(store, inbox, "one", "one", "two")
    contents = [row.content for row in rows]
    texts = await store.scan(lambda tx: tx.field_texts(contents, TextField.HEADER))
    assert sorted(texts) == [
        (rows[0].content, "subject:one"),
        (rows[2].content, "subject:two"),
    ]


async def test_sort_rows_hold_the_keys_made_at_ingest(store: Store, account: AccountId) -> None:
    message = ingested("Two", message_id="<b@c>", references=("<a@c>", '<"with blank"@c>'))

    async def work(tx: Transaction) -> tuple[ContentId, ContentId]:
        return await tx.add_content(account, message), await tx.add_content(account, ingested("x"))

    first, second = await store.write(work)

    texts = frozenset({"references", "base_subject", "from_mailbox", "from_display"})
    full, bare = await store.read(lambda tx: tx.sort_rows([second, first], texts))
    assert (full.content, full.message_id, full.references) == (
        first,
        "<b@c>",
        ("<a@c>", '<"with blank"@c>'),
    )
    keys = (full.base_subject, full.from_mailbox, full.from_display, full.is_reply)
    assert keys == ("two", "anna", "Anna", False)
    assert bare.references == ()
    (full,) = await store.read(lambda tx: tx.sort_rows([first], frozenset({"from_display"})))
    assert (full.message_id, full.references, full.base_subject) == ("<b@c>", (), "")
    assert (full.from_mailbox, full.from_display) == ("", "Anna")


async def test_pieces_are_read_as_there_is_room_and_one_at_least(
    store: Store, inbox: Mailbox
) -> None:
    rows = await fill(store, inbox, "one", "two", "three")
    contents = [row.content for row in rows]
    whole = await store.read(lambda tx: tx.pieces(contents, [Part.RAW]))
    sizes = [len(row[1]) for row in whole if isinstance(row[1], bytes)]
    share = max(sizes) * len(sizes)  # a quarter of it has room for none but the first
    for most_bytes, count in ((0, 1), (share // 8, 1), (share // 4 + 1, 3), (1 << 20, 3)):
        found = await store.read(
            bound(lambda tx, m: tx.pieces(contents, [Part.RAW], m), most_bytes)
        )
        assert found == whole[:count]
    long = await fill(store, inbox, "x" * 10_000)
    contents.append(long[0].content)
    for most_bytes, count in ((sum(sizes) - 1, 2), (sum(sizes), 3), (sum(sizes) + 5_000, 3)):
        found = await store.read(
            bound(lambda tx, m: tx.pieces(contents, [Part.RAW], m), most_bytes)
        )
        assert found == whole[:count]


async def test_a_message_that_is_not_in_memory_is_kept_like_any_other(
    store: Store, account: AccountId, tmp_path: Path
) -> None:
    raw = b"Subject: x\r\n\r\n" + bytes(range(256)) * 20_000
    message = replace(ingest(raw), raw=on_disk(raw, tmp_path))

    async def work(tx: Transaction) -> ContentId:
        return await tx.add_content(account, message)

    with peak() as taken:
        content = await store.write(work)
    assert taken.size_bytes < 3 * PIECE_BYTES
    assert await store.read(lambda tx: tx.raw(content, 0, 1 << 30)) == raw
    assert await store.write(work) == content


async def test_half_a_message_is_never_kept(
    store: Store, account: AccountId, tmp_path: Path
) -> None:
    raw = b"Subject: x\r\n\r\n" + b"y" * 3_000_000
    whole = on_disk(raw, tmp_path)
    cut = Spooled(whole.file, 0, len(raw) + 1)

    async def work(tx: Transaction) -> ContentId:
        return await tx.add_content(account, replace(ingest(raw), raw=cut))

    with pytest.raises(StoreFailed, match="whole"):
        await store.write(work)
    digest = ingest(raw).sha256
    assert await store.read(lambda tx: tx.content_by_digest(account, digest)) is None


def on_disk(raw: bytes, folder: Path) -> Spooled:
    file = SpoolFile(folder)
    file.append(raw)
    return Spooled(file, 0, len(raw))
