"""The archive on the page: each finds what is theirs, and foreign words are only shown."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bridge.operations.control import OperationFailed
from tests.web.conftest import ANNA, BRUNO, Site
from tests.web.test_sent import ATTACKS

AT = "2026-01-15T08:30:00.000Z"
RAW = b"Subject: Fattura\r\n\r\nEcco.\r\n" * 5


def kept(id: str, account: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": id,
        "direction": "received",
        "account": account,
        "at": AT,
        "kind": "delivery",
        "state": "gone",
        "sender": "posta-certificata@pec.example",
        "recipients": [account],
        "subject": "CONSEGNA: Fattura 1",
        "code": "opec123",
        "send": "0123456789ABCDEF01",
        "message_id": "<1@pec.example>",
        "size_bytes": len(RAW),
        "sha256": "0" * 64,
        "preview": "Il giorno 15/01/2026",
        "mailboxes": [{"mailbox": "INBOX", "uid": 3}],
        "kept_until": None,
        **changes,
    }


def archive(made: Site, *entries: dict[str, Any]) -> None:
    """Let the archive of the test hold these."""

    def mine(arguments: Any) -> list[dict[str, Any]]:
        return [one for one in entries if arguments.get("account") in (None, one["account"])]

    def show(arguments: Any) -> dict[str, Any]:
        found = [one for one in mine(arguments) if one["id"] == arguments["what"]]
        if not found:
            raise OperationFailed(f"Nothing in the archive is called {arguments['what']}.")
        return {"entries": found, "retention_days": 900}

    def text(arguments: Any) -> str:
        return base64.b64encode(RAW[arguments["at"] : arguments["at"] + 40]).decode()

    made.done.answers |= {
        "archive search": lambda arguments: {"rows": mine(arguments), "next": "2026/1/2"},
        "archive show": show,
        "archive text": text,
    }


async def test_each_finds_what_is_theirs(made: Site) -> None:
    archive(made, kept("R1", ANNA), kept("R2", BRUNO, subject="segreto"))
    anna = await made.anna()
    page = await anna.get("/archive?text=fattura&account=bruno@pec.example")
    assert ("CONSEGNA: Fattura 1" in page.text, "segreto" in page.text) == (True, False)
    asked = next(arguments for name, arguments in made.done.asked if name == "archive search")
    assert asked == {"text": "fattura", "account": ANNA}
    for path in ("/archive/R2", "/archive/R2/message.eml", "/archive/R9"):
        answer = await anna.get(path)
        assert (answer.status_code, "segreto" in answer.text) == (404, False)


async def test_one_of_it_says_where_it_is_and_gives_its_message(made: Site) -> None:
    archive(made, kept("R1", ANNA))
    anna = await made.anna()
    page = await anna.get("/archive/R1")
    for words in ("No longer at the service", "Delivered", "INBOX", "/sent/0123456789ABCDEF01"):
        assert words in page.text
    given = await anna.get("/archive/R1/message.eml")
    assert (given.content, given.headers["Content-Type"]) == (RAW, "message/rfc822")
    assert given.headers["Content-Disposition"].startswith("attachment")


async def test_what_has_no_text_gives_none(made: Site) -> None:
    archive(made, kept("R1", ANNA, size_bytes=None, sha256=None, preview=None, mailboxes=[]))
    anna = await made.anna()
    assert "Its text is not here" in (await anna.get("/archive/R1")).text
    assert (await anna.get("/archive/R1/message.eml")).status_code == 404


@pytest.mark.parametrize("attack", ATTACKS)
async def test_foreign_words_are_only_shown(made: Site, attack: str) -> None:
    names = ("subject", "sender", "code", "preview", "message_id", "kind", "state")
    archive(made, kept("R1", ANNA, **dict.fromkeys(names, attack)))
    anna = await made.anna()
    for page in (await anna.get("/archive"), await anna.get("/archive/R1")):
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert "<script>alert" not in page.text
        assert "<svg onload" not in page.text
        assert 'href="javascript' not in page.text


async def test_a_search_that_makes_no_sense_is_a_sentence(made: Site) -> None:
    def refuse(_arguments: Any) -> Any:
        raise OperationFailed("This cannot be looked for: ieri.")

    made.done.answers["archive search"] = refuse
    page = await (await made.anna()).get("/archive?since=ieri")
    assert (page.status_code, "This cannot be looked for" in page.text) == (400, True)
