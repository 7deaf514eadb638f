"""Every file of tests/transcripts is a dialogue that the server must have word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.imapserver.client import Rig
from tests.imapserver.transcript import Player, read

FOLDER = Path(__file__).parent.parent / "transcripts"
FILES = sorted(FOLDER.glob("*.txt"))


def test_there_are_transcripts() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_dialogue(path: Path, rig: Rig) -> None:
    transcript = read(path)
    assert re.search(r"RFC \d+ §", transcript.title), "the title says which section it shows"
    await Player(rig, transcript.state).play(transcript)
