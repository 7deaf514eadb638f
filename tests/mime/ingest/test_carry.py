"""What a process worked out arrives as it was worked out."""

from __future__ import annotations

import json

import pytest

from bridge.mime.ingest import ingest
from bridge.mime.ingest.carry import packed_message, unpacked_message
from tests.mime.malformed import BY_HAND, python_corpus

ALL = {**BY_HAND, **python_corpus()}


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_lost_on_the_way(name: str) -> None:
    message = ingest(ALL[name])
    line = json.dumps(packed_message(message))
    assert unpacked_message(json.loads(line), ALL[name]) == message
