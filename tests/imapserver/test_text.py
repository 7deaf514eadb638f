"""Search keys that look into texts: fields as they are written, whatever folds and blanks."""

from __future__ import annotations

import pytest

from bridge.imapserver import text
from bridge.store.base import Store
from tests.imapserver.client import Rig

WRITTEN = (
    b"From: Rossi, Mario <mario@casa.example>\r\n"
    b"To: a b c@d.example\r\n"
    b"Subject: Fattura   n.\t12\r\n di\r\n\tgennaio\r\n"
    b"X-Ora: b:c\r\n"
    b"X-Nota: uno\rSubject-Due: due\r\n"
    b"Content-Type: text/plain;\r\n\tcharset=utf-8\r\n"
    b"\r\nTesto con: due  blanks\r\n"
)

FOUND = {
    "a name and its value": 'TEXT "subject: fattura"',
    "across the colon": 'TEXT "ect: fatt"',
    "only a value's beginning": 'TEXT ": Fattura n."',
    "a name alone": 'TEXT "x-nota:"',
    "runs of blanks": 'SUBJECT "fattura n. 12"',
    "runs of blanks, written so": 'SUBJECT "Fattura   n."',
    "folds": 'SUBJECT "12 di gennaio"',
    "a fold by a tab": 'HEADER Content-Type "plain; charset"',
    "a fold by a tab in TEXT": 'TEXT "plain; charset"',
    "behind a lone CR": 'HEADER X-Nota "uno subject-due"',
    "an address as written": 'HEADER From "Rossi, Mario <"',
    "an address by its key": 'FROM "Rossi, Mario"',
    "blanks in a body": 'BODY "due  blanks"',
    "a field that is there": 'SUBJECT ""',
}
MISSED = {
    "a field made of a lone CR": 'HEADER Subject-Due ""',
    "what no field says": "HEADER From MISSING",
    "a name that ends otherwise": 'TEXT "object: fattura"',
    "a colon inside a value": 'TEXT "con:due"',
    "a colon more in the name": 'TEXT "x-ora:b: c"',
    "a field that is not there": 'BCC ""',
    "blanks in a body are kept": 'BODY "due blanks"',
}


@pytest.fixture(params=[0, text.FEW], ids=["read once", "one by one"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "FEW", request.param)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("key", FOUND.values(), ids=FOUND.keys())
async def test_found(rig: Rig, key: str) -> None:
    await rig.add(WRITTEN)
    client = await rig.client("INBOX")
    assert await client.ok(f"SEARCH {key}") == ["* SEARCH 1"]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("key", MISSED.values(), ids=MISSED.keys())
async def test_not_found(rig: Rig, key: str) -> None:
    await rig.add(WRITTEN)
    client = await rig.client("INBOX")
    assert await client.ok(f"SEARCH {key}") == ["* SEARCH"]


MANY = {
    "senders": ("FROM n{}", "FROM anna"),
    "fields": ("HEADER X-{} x", "HEADER From anna"),
    "days": ("SENTON 1-Jan-{}", "SENTON 15-Jan-2026"),
}


@pytest.mark.parametrize(("key", "last"), MANY.values(), ids=MANY.keys())
async def test_many_keys_read_the_texts_once(
    rig: Rig, store: Store, monkeypatch: pytest.MonkeyPatch, key: str, last: str
) -> None:
    await rig.add()
    client = await rig.client("INBOX")
    scans = 0
    scan = store.scan

    async def counted(work: object) -> object:
        nonlocal scans
        scans += 1
        return await scan(work)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "scan", counted)
    keys = "".join(f"OR {key.format(number)} " for number in range(1000, 1500)) + last
    assert await client.ok(f"SEARCH {keys}") == ["* SEARCH 1"]
    assert scans == 1
