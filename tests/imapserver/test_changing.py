"""What changes messages: nothing but what was meant is expunged, moved or marked."""

from __future__ import annotations

import pytest

from bridge.mailbox import FlagChange
from bridge.model import Flag
from tests.imapserver.client import APPEND_LIMIT_BYTES, Client, Rig, message


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


async def emptied(rig: Rig, *gone: int) -> Client:
    """Return a client that numbers three messages of which another session expunged some."""
    for number in range(3):
        await rig.add(f"m{number}")
    client, other = await rig.client("INBOX"), await rig.client("INBOX")
    for number in gone:
        await other.ok(f"STORE {number} +FLAGS.SILENT (\\Deleted)")
    await client.ok("NOOP")
    await other.ok("EXPUNGE")
    return client


@pytest.mark.parametrize("command", ["COPY", "MOVE"])
@pytest.mark.parametrize("numbers", ["2:3", "1:*", "2", "3,2,1", "2,2,3"])
async def test_by_number_all_are_copied_or_none(rig: Rig, command: str, numbers: str) -> None:
    client = await emptied(rig, 2)
    answer = await client.tagged(f"{command} {numbers} Archive")
    assert answer.startswith("NO [EXPUNGEISSUED]")
    assert (await client.ok("STATUS Archive (MESSAGES)"))[0] == "* STATUS Archive (MESSAGES 0)"
    await client.ok("NOOP")
    assert await client.ok("SEARCH ALL") == ["* SEARCH 1 2"]


@pytest.mark.parametrize("command", ["COPY 1,3,1 Archive", "UID COPY 1:9 Archive"])
async def test_what_is_there_is_copied_once(rig: Rig, command: str) -> None:
    client = await emptied(rig, 2)
    assert (await client.tagged(command)).startswith("OK [COPYUID")
    assert (await client.ok("STATUS Archive (MESSAGES)"))[0] == "* STATUS Archive (MESSAGES 2)"


async def test_a_uid_that_is_not_there_is_no_error(rig: Rig) -> None:
    client = await emptied(rig, 2)
    assert (await client.tagged("UID MOVE 2:3 Archive")).startswith("OK")
    assert await client.ok("STATUS Archive (MESSAGES)") == ["* STATUS Archive (MESSAGES 1)"]


async def test_what_went_is_no_more_in_a_saved_result(rig: Rig) -> None:
    for number in range(3):
        await rig.add(f"m{number}")
    client, other = await rig.client("INBOX"), await rig.client("INBOX")
    await client.ok("SEARCH RETURN (SAVE) ALL")
    await other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    await other.ok("EXPUNGE")
    assert (await client.tagged("COPY $ Archive")).startswith("OK [COPYUID")


STORED = {
    "only what is gone": ("STORE 2 +FLAGS (\\Seen)", "NO [EXPUNGEISSUED]"),
    "only what is gone, in silence": ("STORE 2 +FLAGS.SILENT (\\Seen)", "OK"),
    "also what is there": ("STORE 1:3 +FLAGS (\\Seen)", "OK [EXPUNGEISSUED]"),
    "by UID": ("UID STORE 2 +FLAGS (\\Seen)", "OK"),
}


@pytest.mark.parametrize(("command", "start"), STORED.values(), ids=STORED.keys())
async def test_storing_flags_of_the_expunged(rig: Rig, command: str, start: str) -> None:
    client = await emptied(rig, 2)
    *untagged, tagged = await client.ask(command)
    assert tagged.startswith(start)
    assert not any(line.startswith("* 2 FETCH") for line in untagged)


# -- the bridge's own keywords -----------------------------------------------------------------

IGNORED = "* OK [CANNOT] "
SPELLINGS = ["$PecDelivered", "$pecdelivered", "$PECFAILED", "$PecUncertain", "$PecAnything"]


@pytest.mark.parametrize("keyword", SPELLINGS)
@pytest.mark.parametrize("silent", ["", ".SILENT"])
@pytest.mark.parametrize("start", ["", "UID "])
async def test_no_client_sets_the_bridges_keywords(
    rig: Rig, keyword: str, silent: str, start: str
) -> None:
    await rig.add()
    client = await rig.client("INBOX")
    for sign in ("+", ""):
        told, line = await client.ok(f"{start}STORE 1 {sign}FLAGS{silent} ({keyword} \\Seen)")
        assert told.startswith(f"{IGNORED}{keyword}:")
        assert "FLAGS (\\Recent \\Seen)" in line
    told, line = await client.ok(f"STORE 1 FLAGS{silent} ({keyword})")
    assert "FLAGS (\\Recent)" in line
    assert await client.ok(f"SEARCH KEYWORD {keyword}") == ["* SEARCH"]


@pytest.mark.parametrize("silent", ["", ".SILENT"])
async def test_no_client_clears_the_bridges_keywords(rig: Rig, silent: str) -> None:
    await rig.add(flags=("$PecDelivered", "$Mio"))
    client = await rig.client("INBOX")
    for keyword in ("$PecDelivered", "$pecDELIVERED"):
        told, line = await client.ok(f"STORE 1 -FLAGS{silent} ({keyword} $Mio)")
        assert told.startswith(f"{IGNORED}{keyword}:")
        assert "FLAGS ($PecDelivered \\Recent)" in line
    # Flags are replaced every day without a thought of the bridge's: they are shown, no more.
    assert await client.ok(f"STORE 1 FLAGS{silent} (\\Seen)") == [
        "* 1 FETCH (FLAGS ($PecDelivered \\Recent \\Seen))"
    ]
    assert await client.ok(f"STORE 1 FLAGS{silent} ()") == [
        "* 1 FETCH (FLAGS ($PecDelivered \\Recent))"
    ]
    assert await client.ok("SEARCH KEYWORD $PecDelivered") == ["* SEARCH 1"]


async def test_with_unchangedsince_they_stay_as_well(rig: Rig) -> None:
    await rig.add(flags=("$PecDelivered",))
    client = await rig.client("INBOX")
    await client.ok("STORE 1 (UNCHANGEDSINCE 9) FLAGS.SILENT (\\Seen)")
    assert await client.ok("SEARCH KEYWORD $PecDelivered SEEN") == ["* SEARCH 1"]


@pytest.mark.parametrize("keyword", SPELLINGS)
async def test_no_client_appends_the_bridges_keywords(rig: Rig, keyword: str) -> None:
    client = await rig.client("INBOX")
    text = message("m")
    literal = b"{%d+}\r\n%b" % (len(text), text)
    flags = f"({keyword} \\Seen $Mio) ".encode()
    for arguments in (
        flags + literal,
        flags + literal + b" " + flags + literal,
        flags + b"CATENATE (TEXT " + literal + b")",
    ):
        *untagged, tagged = await client.ask(b"APPEND INBOX " + arguments)
        assert tagged.startswith("OK [APPENDUID")
        assert sum(line.startswith(f"{IGNORED}{keyword}:") for line in untagged) == 1
    assert await client.ok("SEARCH KEYWORD $Mio SEEN") == ["* SEARCH 1 2 3 4"]
    assert await client.ok(f"SEARCH KEYWORD {keyword}") == ["* SEARCH"]


async def test_a_copy_keeps_the_bridges_keywords(rig: Rig) -> None:
    await rig.add(flags=("$PecDelivered",))
    client = await rig.client("INBOX")
    await client.ok("COPY 1 Archive")
    await client.ok("MOVE 1 Drafts")
    for mailbox in ("Archive", "Drafts"):
        await client.ok(f"SELECT {mailbox}")
        assert await client.ok("SEARCH KEYWORD $PecDelivered") == ["* SEARCH 1"]


async def test_which_flags_a_client_may_set_is_said(rig: Rig) -> None:
    await rig.add(flags=("$PecDelivered", "$Mio"))
    client = await rig.client()
    flags, permanent, *_ = await client.ok("SELECT INBOX")
    assert "$PecDelivered" in flags
    assert "$PecDelivered" not in permanent
    assert "$Mio" in permanent
    assert "\\*" in permanent
