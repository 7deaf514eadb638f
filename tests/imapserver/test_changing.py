"""What changes messages: nothing but what was meant is expunged, moved or marked."""

from __future__ import annotations

import pytest

from bridge.mailbox import FlagChange
from bridge.model import Flag
from tests.imapserver.client import APPEND_LIMIT_BYTES, Rig, message


@pytest.mark.parametrize("command", ["EXPUNGE", "UID EXPUNGE 1:*", "CLOSE"])
async def test_what_was_unmarked_at_the_last_moment_stays(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for number in range(2):
        await rig.add(f"m{number}", flags=("\\Deleted",))
    client = await rig.client("INBOX")
    mailboxes = rig.services.mailboxes
    box = await mailboxes.find(rig.account, "INBOX")
    assert box is not None
    write = mailboxes.write

    async def beaten(work: object) -> object:
        """Let another session come first."""
        monkeypatch.setattr(mailboxes, "write", write)
        await mailboxes.change_flags(
            box.id, [rig_uid], FlagChange.REMOVE, frozenset({Flag("\\Deleted")})
        )
        return await write(work)  # type: ignore[arg-type]

    rig_uid = (await mailboxes.index(box.id)).row(0).uid
    monkeypatch.setattr(mailboxes, "write", beaten)
    await client.ok(command)
    assert list((await mailboxes.index(box.id)).uids) == [rig_uid]


async def test_expunge_takes_only_what_this_client_knows_of(rig: Rig) -> None:
    await rig.add("m0")
    client = await rig.client("INBOX")
    await client.send(b"a IDLE\r\n")
    await client.line()
    client_two = await rig.client("INBOX")
    await rig.add("m1", flags=("\\Deleted",))
    await client_two.ok("NOOP")
    await client.line()
    await client.send(b"DONE\r\n")
    while not (await client.line()).startswith(b"a OK"):
        pass
    assert "* 2 EXPUNGE" in await client.ok("EXPUNGE")
    assert await client.ok("SEARCH ALL") == ["* SEARCH 1"]


async def test_appending_the_same_to_sent_gives_the_first_uid(rig: Rig) -> None:
    client = await rig.client()
    first = await client.append("Sent", message("una volta"), "(\\Seen) ")
    again = await client.append("Sent", message("una volta", "altro testo"), "(\\Seen) ")
    assert first.split("]")[0] == again.split("]")[0]
    assert await client.ok("STATUS Sent (MESSAGES)") == ["* STATUS Sent (MESSAGES 1)"]


REFUSED = {
    "no such mailbox": ("Nowhere", b"x", "", "NO [TRYCREATE]"),
    "empty": ("INBOX", b"", "", "NO a message can't be empty"),
    "NUL": ("INBOX", b"a\0b", "", "NO [UNKNOWN-CTE]"),
    "bad flag": ("INBOX", b"x", "(\\Nonsense) ", "BAD"),
    "too big": ("INBOX", b"x" * (APPEND_LIMIT_BYTES + 1), "", "NO [TOOBIG]"),
}


@pytest.mark.parametrize(
    ("mailbox", "text", "arguments", "answer"), REFUSED.values(), ids=REFUSED.keys()
)
async def test_append_refused(
    rig: Rig, mailbox: str, text: bytes, arguments: str, answer: str
) -> None:
    client = await rig.client()
    assert (await client.append(mailbox, text, arguments)).startswith(answer)
    assert await client.ok("STATUS INBOX (MESSAGES)") == ["* STATUS INBOX (MESSAGES 0)"]


async def test_keywords_keep_their_first_spelling(rig: Rig) -> None:
    for number in range(2):
        await rig.add(f"m{number}")
    client = await rig.client("INBOX")
    await client.ok("STORE 1 +FLAGS ($Fatto)")
    assert await client.ok("STORE 2 +FLAGS ($FATTO)") == ["* 2 FETCH (FLAGS ($Fatto \\Recent))"]
    assert await client.ok("SEARCH KEYWORD $fatto") == ["* SEARCH 1 2"]


async def test_copy_keeps_flags_and_dates(rig: Rig) -> None:
    await rig.add("m", flags=("\\Flagged", "$x"))
    client = await rig.client("INBOX")
    asked = "FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE EMAILID)"
    (before,) = await client.ok(asked)
    await client.ok("COPY 1 Archive")
    await client.ok("SELECT Archive")
    assert await client.ok(asked) == [before]


async def test_a_message_gone_cannot_be_moved(rig: Rig) -> None:
    await rig.add("m")
    client, other = await rig.client("INBOX"), await rig.client("INBOX")
    await other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    await client.ok("NOOP")
    await other.ok("EXPUNGE")
    assert (await client.tagged("MOVE 1 Archive")).startswith("NO [EXPUNGEISSUED]")
