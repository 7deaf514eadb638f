"""Who has logged in sees, names and touches nothing of another account."""

from __future__ import annotations

import base64

import pytest

from tests.imapserver.client import ADDRESS, Rig, message

OTHER = "studio@pec.example"
SECRET = b"segretissimo"


@pytest.fixture
async def secret(rig: Rig) -> Rig:
    """A server on which another account has a mailbox of its own, with a message in it."""
    boxes = rig.services.mailboxes
    account = await boxes.open_account(OTHER)
    await boxes.write(lambda mtx: mtx.create(account, "Segreti"))
    box = await boxes.find(account, "Segreti")
    assert box is not None
    ready = await boxes.prepare(message("segreto", SECRET.decode()))
    await boxes.append(box.id, ready, frozenset(), rig.clock.now())
    return rig


@pytest.mark.parametrize(
    "command",
    [
        *("SELECT Segreti", "EXAMINE Segreti", "STATUS Segreti (MESSAGES)", "DELETE Segreti"),
        *("RENAME Segreti Mie", "GETQUOTAROOT Segreti", f"SELECT ~{OTHER}/Segreti"),
        *(f'SELECT "#user/{OTHER}/Segreti"', f"SELECT {OTHER}/Segreti", 'SELECT "../Segreti"'),
        f'SELECT "INBOX/../../{OTHER}/Segreti"',
    ],
)
async def test_no_name_leads_to_anothers_mailbox(secret: Rig, command: str) -> None:
    client = await secret.client()
    *untagged, tagged = await client.ask(command)
    assert tagged.startswith("NO"), tagged
    assert untagged == []


@pytest.mark.parametrize("pattern", ["*", "%", "Segreti", f"~{OTHER}/*", "#user/*"])
async def test_no_pattern_lists_anothers_mailboxes(secret: Rig, pattern: str) -> None:
    client = await secret.client()
    for command in ("LIST", "LSUB"):
        assert not [one for one in await client.ok(f'{command} "" "{pattern}"') if "Segreti" in one]


@pytest.mark.parametrize(
    "url",
    [
        "/Segreti/;uid=1",
        f"/~{OTHER}/Segreti/;uid=1",
        f"imap://{OTHER.replace('@', '%40')}@localhost/Segreti/;uid=1",
        "//localhost/../Segreti/;uid=1",
        "file:///etc/hostname",
    ],
)
async def test_no_url_copies_anothers_message(secret: Rig, url: str) -> None:
    client = await secret.client()
    assert (await client.tagged(f'APPEND INBOX CATENATE (URL "{url}")')).startswith("NO [BADURL")


async def test_nothing_of_anothers_is_found_or_moved(secret: Rig) -> None:
    await secret.add("mio")
    client = await secret.client("INBOX")
    for criteria in (f"TEXT {SECRET.decode()}", "SUBJECT segreto"):
        assert await client.ok(f"SEARCH {criteria}") == ["* SEARCH"]
    assert (await client.tagged("COPY 1 Segreti")).startswith("NO [TRYCREATE]")
    await client.ok("UID STORE 1:* +FLAGS (\\Deleted)")
    await client.ok("EXPUNGE")
    boxes = secret.services.mailboxes
    account = await boxes.open_account(OTHER)
    box = await boxes.find(account, "Segreti")
    assert box is not None
    assert len(await boxes.index(box.id)) == 1


async def test_nobody_acts_for_another(secret: Rig) -> None:
    client = await secret.connect()
    await client.line()
    await client.send(b"a AUTHENTICATE PLAIN\r\n")
    await client.line()
    words = f"{OTHER}\0{ADDRESS}\0parola".encode()
    await client.send(base64.b64encode(words) + b"\r\n")
    assert (await client.line()).startswith(b"a NO [AUTHORIZATIONFAILED]")
