"""The archive, looked through after a send and its receipts, and after they left."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bridge.operations.archive import ArchiveOperations
from bridge.operations.control import OperationFailed
from bridge.simulator.wording import NetworkKind
from bridge.store.remote import RemoteId
from tests.receipts.rig import ADDRESS, CODE, Rig

ANNA = "anna@pec.example"
RETENTION_DAYS = 900


async def asked(rig: Rig, name: str, **arguments: Any) -> Any:
    methods = ArchiveOperations(rig.store, RETENTION_DAYS).methods()
    return await methods[f"archive {name}"](arguments, lambda done, total: None)


async def ids(rig: Rig, **arguments: Any) -> list[str]:
    found = await asked(rig, "search", **arguments)
    assert found["next"] is None
    return [row["id"] for row in found["rows"]]


@pytest.fixture
async def receipt(rig: Rig) -> RemoteId:
    """Send a message, and let its acceptance come a minute later."""
    await rig.send((ANNA,))
    return await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, later=timedelta(minutes=1))


async def test_a_send_and_its_receipt_are_found_by_what_people_know(
    rig: Rig, receipt: RemoteId
) -> None:
    both = [f"R{receipt}", "Q1"]
    day = f"{rig.clock.now():%Y-%m-%d}"
    for arguments in (
        {},
        {"text": "DIFFÌDA"},
        {"code": CODE},
        {"account": ADDRESS},
        {"since": day},
    ):
        assert await ids(rig, **arguments) == both, arguments
    assert await ids(rig, address=ANNA.upper()) == ["Q1"]
    assert await ids(rig, kind="acceptance") == [f"R{receipt}"]
    assert await ids(rig, kind="ordinary") == []
    assert await ids(rig, direction="submitted") == ["Q1"]
    assert await ids(rig, gone=True) == []
    assert await ids(rig, until="2001-01-01") == []


async def test_a_row_says_what_it_is(rig: Rig, receipt: RemoteId) -> None:
    came, sent = (await asked(rig, "search"))["rows"]
    assert came["kind"] == "acceptance"
    assert (came["direction"], came["state"]) == ("received", "live")
    assert (came["code"], came["send"]) == (CODE, "Q1")
    assert (sent["direction"], sent["state"], sent["kind"]) == ("submitted", "submitted", None)
    assert (sent["recipients"], sent["sender"]) == ([ANNA], ADDRESS)


async def test_pages_go_on_over_accounts(rig: Rig, receipt: RemoteId) -> None:
    await rig.mailboxes.open_account("altra@pec.example")
    first = await asked(rig, "search", limit=1)
    second = await asked(rig, "search", limit=1, before=first["next"])
    assert [row["id"] for row in first["rows"] + second["rows"]] == [f"R{receipt}", "Q1"]
    assert second["next"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        {"since": "yesterday"},
        {"since": "2026-01-15T10:00:00"},
        {"until": "9999-12-31"},
        {"kind": "consegna"},
        {"direction": "out"},
        {"before": "2"},
        {"before": "2026-01-15T10:00:00Z/7/1"},
        {"before": "2026-01-15T10:00:00/1/1"},
        {"before": f"2026-01-15T10:00:00Z/1/{2**63}"},
        {"limit": "many"},
        {"account": "nobody@pec.example"},
    ],
)
async def test_what_cannot_be_looked_for_is_said(rig: Rig, arguments: dict[str, str]) -> None:
    with pytest.raises(OperationFailed):
        await asked(rig, "search", **arguments)


@pytest.mark.parametrize("name", ["text", "address", "code"])
async def test_what_is_too_long_to_be_looked_for_is_said(
    rig: Rig, receipt: RemoteId, name: str
) -> None:
    """SQLite takes no longer pattern, and no longer row of them."""
    with pytest.raises(OperationFailed, match="1000 characters"):
        await ids(rig, **{name: "x" * 1_001})
    assert await ids(rig, **{name: "% " * 500}) == []
    assert await ids(rig, **{name: " ".join(map(chr, range(0x4E00, 0x4E00 + 500)))}) == []


async def test_every_name_leads_to_it(rig: Rig, receipt: RemoteId) -> None:
    (came,) = (await asked(rig, "show", what=f"R{receipt}"))["entries"]
    (sent,) = (await asked(rig, "show", what="Q1"))["entries"]
    for what in (came["email_id"], came["message_id"], came["message_id"].strip("<>")):
        assert (await asked(rig, "show", what=what))["entries"] == [came]
    for what in (sent["email_id"], "<Q1@azienda.example>", "Q1@azienda.example"):
        assert (await asked(rig, "show", what=what))["entries"] == [sent]
    found = await asked(rig, "show", what=CODE)
    assert found == {"entries": [sent, came], "retention_days": RETENTION_DAYS}


@pytest.mark.parametrize("what", ["R99", "M99", "X", "", "R0", "R" + "9" * 30, "R1 OR 1", "%"])
async def test_what_names_nothing_is_said(rig: Rig, receipt: RemoteId, what: str) -> None:
    with pytest.raises(OperationFailed, match="Nothing in the archive"):
        await asked(rig, "show", what=what)


async def test_what_left_is_still_there_and_says_for_how_long(
    rig: Rig, receipt: RemoteId, until: Callable[[int], str]
) -> None:
    (live,) = (await asked(rig, "show", what=f"R{receipt}"))["entries"]
    assert live["kept_until"] is None
    assert live["mailboxes"] == [{"mailbox": "INBOX", "uid": 1}]
    text = await whole(rig, f"R{receipt}")
    now = rig.clock.now()
    await rig.store.write(lambda tx: tx.mark_remote_gone(receipt, now))
    box = await rig.mailboxes.find(rig.account, "INBOX")
    assert box is not None
    await rig.mailboxes.write(lambda mtx: mtx.expunge(box.id, [live["mailboxes"][0]["uid"]]))
    (gone,) = (await asked(rig, "show", what=f"R{receipt}"))["entries"]
    assert (gone["state"], gone["mailboxes"]) == ("gone", [])
    assert gone["kept_until"] == until(RETENTION_DAYS)
    assert await whole(rig, f"R{receipt}") == text
    for days, stays in ((RETENTION_DAYS - 1, True), (RETENTION_DAYS + 1, False)):
        await dropped(rig, now + timedelta(days=days - RETENTION_DAYS))
        assert (f"R{receipt}" in await ids(rig)) is stays


async def dropped(rig: Rig, before: datetime) -> None:
    await rig.store.write(lambda tx: tx.drop_archived_bodies(before, 10))


@pytest.fixture
def until(rig: Rig) -> Callable[[int], str]:
    """Return how a time so many days from now is written."""

    def text(days: int) -> str:
        at = rig.clock.now() + timedelta(days=days)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return text


async def whole(rig: Rig, id: str, part: str | None = None, **more: Any) -> bytes:
    """Return a text, asked for piece by piece."""
    text = b""
    while piece := await asked(rig, "text", id=id, part=part, at=len(text), **more):
        text += base64.b64decode(piece)
    return text


async def test_texts_come_as_they_are_in_pieces(
    rig: Rig, receipt: RemoteId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.operations.archive.SLICE_BYTES", 7)
    (entry,) = (await asked(rig, "show", what=f"R{receipt}"))["entries"]
    message = await whole(rig, f"R{receipt}")
    assert hashlib.sha256(message).hexdigest() == entry["sha256"]
    assert len(message) == entry["size_bytes"]
    body = await rig.store.read(lambda tx: tx.remote_body(receipt))
    assert await whole(rig, f"R{receipt}", "body") == str(body).encode()
    assert await whole(rig, f"R{receipt}", "row") == b"{}"
    assert (await whole(rig, "Q1")).endswith(b"Testo.\r\n")
    for part in ("body", "row", "nonsense"):
        with pytest.raises(OperationFailed):
            await whole(rig, "Q1", part)
    with pytest.raises(OperationFailed):
        await whole(rig, f"R{receipt}", "nonsense")


async def test_nothing_of_another_account_is_shown(rig: Rig, receipt: RemoteId) -> None:
    other = "altra@pec.example"
    await rig.mailboxes.open_account(other)
    (came,) = (await asked(rig, "show", what=f"R{receipt}"))["entries"]
    assert await ids(rig, account=other) == []
    for what in (f"R{receipt}", "Q1", came["email_id"], came["message_id"], CODE):
        with pytest.raises(OperationFailed):
            await asked(rig, "show", what=what, account=other)
        with pytest.raises(OperationFailed):
            await asked(rig, "text", id=what, account=other)


async def test_a_receipt_whose_text_is_not_here_is_what_its_subject_says(rig: Rig) -> None:
    await rig.send((ANNA,))
    arrival = await rig.listed(NetworkKind.DELIVERY, ANNA)
    name = f"R{arrival.remote}"
    assert await ids(rig, kind="delivery") == [name]
    (entry,) = (await asked(rig, "show", what=name))["entries"]
    assert (entry["kind"], entry["code"], entry["has_text"]) == ("delivery", CODE, False)
    assert entry["email_id"] is None
    assert await whole(rig, name) == b""
