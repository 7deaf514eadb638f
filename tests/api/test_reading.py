"""A large answer is read in a process as it is read here, whatever the message's id is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.apart.process import Apart
from bridge.api.reading import NothingDone, read_apart
from bridge.api.schema import read_message, read_reply
from bridge.model import body_digest
from bridge.spool import SpooledText, SpoolFile

MESSAGE = {"sender": "a@pec.example", "date": "2026-11-26 10:00:00", "body": "Citt\u00e0 \ud83d\0"}


@pytest.mark.parametrize("api_id", ["5", "-5", "citt\u00e0", "a\0b", "a b"])
async def test_it_reads_what_is_read_here(tmp_path: Path, api_id: str) -> None:
    raw = json.dumps({"success": True, "data": {"id": api_id, **MESSAGE}}).encode()
    answer = SpoolFile(tmp_path)
    answer.append(raw)
    made = await read_apart(Apart(tmp_path), answer, api_id)
    assert not isinstance(made, NothingDone)
    here = read_message(read_reply(raw), api_id)
    assert (made.row, body_digest(made.body)) == (here.row, body_digest(here.body))
    assert isinstance(made.body, SpooledText)
    assert made.body.whole().decode() == here.body
