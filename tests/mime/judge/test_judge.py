"""What would be posted is what independent readers say, or the message is refused, or listed."""

from __future__ import annotations

import html
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from bridge.mime.strict.attachment import decode_content
from bridge.mime.strict.content import check, convert
from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.part import parse
from tests.mime.judge.composer import Composed, messages
from tests.mime.judge.reader import MARKED, TEXTS, by_mailparse, by_python, facts, ours

LISTED = {
    "a name in a comment": "one reader takes it for a part of the address",
    "a semicolon for a comma": "one reader finds no second address",
    "a semicolon in a name": "neither reader finds the address in brackets",
    "a semicolon in words": "one reader decodes words first, and ends the name there",
    "an address for a name": "one reader takes it for the address",
    "boundaries: dashes within": "one reader takes the inner boundary for the end of the outer",
    "boundaries: longer within": "one reader takes the inner boundary for the outer",
    "brackets in a name": "one reader finds no address",
    "quotes nobody needs": "one reader finds no address",
    "a comment": "RFC 2045 allows comments in MIME fields; neither reader knows them",
    "a field in one word": "one reader decodes no field that is an encoded word",
    "a loose encoding": "one reader reads 8-bit text under it as ASCII",
    "a segment twice": "one reader joins both",
    "base64: junk": "one reader fails at it; RFC 2045 says to pass over it",
    "base64: no padding": "one reader fails at it",
    "both names": "RFC 6266 and mail programs put the extended name first; both readers don't",
    "cr cr lf": "neither reader knows it; every line of the message ends so",
    "multipart: not closed": "one reader takes the last line end for a boundary's",
    "no semicolon": "neither reader finds a name there; mail programs do",
    "raw letters": "one reader takes them for ASCII",
    "unquoted name": "the readers end it at different places",
}
"""What one of the readers cannot read, or neither: the reasons are in docs/quirks.md."""


def judge(message: Composed) -> list[str]:
    """Return what is wrong with what is posted of a message.

    All is as both readers say; where they don't say the same of it, the oddity is listed, and all
    is as they say of the message when it is spelled by the rules.
    """
    try:
        check(parse(message.raw))
    except Unreadable:
        return []
    own = facts(ours, message.raw)
    said = [facts(reader, message.raw) for reader in (by_python, by_mailparse)]
    meant = [facts(reader, message.plain) for reader in (by_python, by_mailparse)]
    wrong = []
    for fact, value in own.items():
        if value == MARKED or all(fact in one and one[fact] == value for one in said):
            continue
        listed = message.oddities & LISTED.keys()
        if not listed or any(fact not in one or one[fact] != value for one in meant):
            wrong.append(f"{fact}: {value!r}, not {[one.get(fact) for one in [*said, *meant]]!r}")
    return wrong


@given(messages())
@settings(max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_posted_is_what_others_read(message: Composed) -> None:
    assert judge(message) == []


@pytest.mark.slow
@given(messages())
@settings(
    max_examples=2_000,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_what_is_posted_is_what_others_read_of_many(message: Composed) -> None:
    assert judge(message) == []


@given(messages())
@settings(max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_read_is_posted(message: Composed) -> None:
    """Every leaf that is no text is a file, byte for byte; some text is shown."""
    try:
        said_bytes = check(parse(message.raw))
    except Unreadable:
        return
    content = convert(message.raw)
    leaves = [part for part in parse(message.raw).walk() if not part.children]
    texts = [part for part in leaves if part.content_type in TEXTS and part.disposition == ""]
    files = Counter(decode_content(part) for part in leaves if part not in texts)
    assert not files - Counter(file.content for file in content.files)
    words = html.unescape(re.sub(r"<[^>]*>", "", content.body))
    assert bool(words.strip()) == bool(texts)
    assert len(content.body) <= said_bytes


def test_the_reasons_are_in_the_docs() -> None:
    docs = " ".join((Path(__file__).parents[3] / "docs" / "quirks.md").read_text().split())
    assert [oddity for oddity in LISTED if f"*{oddity}*" not in docs] == []
