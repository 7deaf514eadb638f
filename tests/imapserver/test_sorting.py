"""SORT and THREAD: texts are compared as RFC 5051 says, letter by letter."""

from __future__ import annotations

from tests.imapserver.client import Rig


async def test_a_letter_without_a_capital_stays_itself(rig: Rig) -> None:
    for subject in ("=?utf-8?Q?Stra=C3=9Fe?=", "strasse", "STRASSENBAHN"):
        await rig.add(subject)
    client = await rig.client("INBOX")
    assert await client.ok("SORT (SUBJECT) UTF-8 ALL") == ["* SORT 2 3 1"]
    assert await client.ok("SORT (REVERSE SUBJECT) UTF-8 ALL") == ["* SORT 1 3 2"]
    assert await client.ok("THREAD ORDEREDSUBJECT UTF-8 ALL") == ["* THREAD (1)(2)(3)"]
