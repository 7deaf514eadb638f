"""``archive``: what is left of a send once no mailbox shows it, with the bridge running or not."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from tests.cli.conftest import Command, Done
from tests.running import Running, apart, eventually, running, simulated


def expunge_all(bridge: Running, mailbox: str) -> None:
    with bridge.imap() as client:
        client.select(mailbox)
        client.store("1:*", "+FLAGS", r"(\Deleted)")
        client.expunge()


async def test_what_no_mailbox_shows_is_found_and_given_out(
    command: Command, config: Path, tmp_path: Path
) -> None:
    async def run(*words: object) -> Done:
        return await apart(command, "archive", *words, "--config", config)

    async def all_three() -> list[dict[str, Any]] | None:
        rows = (await run("search", "contratto", "--json")).json["rows"]
        return rows if {row["kind"] for row in rows} == {None, "acceptance", "delivery"} else None

    async with running(config.parent / "data", simulated()) as bridge:
        await apart(bridge.submit, "Contratto", "uno@altra.example")
        rows = await eventually(all_three)
        assert rows is not None
        sent = next(row for row in rows if row["direction"] == "submitted")
        await apart(expunge_all, bridge, "Sent")
        shown = (await run("show", sent["id"])).out
        assert "mailboxes" in shown
        assert "none" in shown
        assert "for ever" in shown
    message = tmp_path / "messaggio.eml"
    assert (await run("show", sent["id"], "-o", message)).code == 0
    assert b"Subject: Contratto" in message.read_bytes()
    if os.name == "posix":
        assert stat.S_IMODE(message.stat().st_mode) == 0o600
    several = await run("show", sent["code"], "-o", tmp_path / "several")
    assert several.code == 2
    assert "choose one" in several.err
    assert not (tmp_path / "several").exists()
    receipt = next(row for row in rows if row["kind"] == "delivery")
    for part in ("message", "row", "body"):
        path = tmp_path / part
        assert (await run("show", receipt["id"], "-o", path, "--part", part)).code == 0
        assert path.stat().st_size > 50
    assert (await run("show", sent["id"], "-o", tmp_path / "x", "--part", "row")).code == 1
    assert (await run("show", receipt["id"], "-o", message)).code == 1
    page = await run("search", "--limit", "1", "--gone")
    assert page.out == "Nothing in the archive fits.\n"
    first = await run("search", "--limit", "1")
    assert "--before" in first.err
    rest = await run("search", "contratto", "--before", first.err.split()[-1], "--json")
    assert {row["id"] for row in rest.json["rows"]} <= {row["id"] for row in rows}
    assert (await run("show", "nonsense")).code == 1
