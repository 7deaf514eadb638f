"""Every file of tests/transcripts is a dialogue that the server must have word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.imapserver.commands import sort as sorting
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


async def test_messages_are_sorted_across_batches(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "BATCH", 2)
    transcript = read(FOLDER / "sort_thread.txt")
    await Player(rig, transcript.state).play(transcript)
