"""Real messages: each is sent with every attachment as it was, or refused with a reason."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from bridge.mime.strict.attachment import File
from bridge.mime.strict.content import Sealed, check, convert
from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.part import parse
from bridge.mime.strict.tnef import read_tnef
from tests.mime.strict.independent import attachments, contents

SUBMITTED = Path(__file__).with_name("submitted")
REFUSED = {
    "msg_15.txt": "after its closing boundary",
    "msg_17.txt": "none of the boundaries",
    "msg_25.txt": "names no boundary",
    "msg_31.txt": "none of the boundaries",
    "msg_33.txt": "multipart/signed",
    "msg_35.txt": "no header field",
    "msg_39.txt": "after its closing boundary",
    "msg_41.txt": "names no boundary",
    "msg_45.txt": "multipart/signed",
    "msg_47.txt": "no header field",
    "signed.eml": "multipart/signed",
    "cut-off.eml": "cut off",
}
LIBRARY_CUTS = {"msg_42.txt"}
"""A multipart without a part, in an attached message: the library forgets its text."""


def corpus() -> list[Traversable]:
    """CPython's own test messages, where it has them, and ours."""
    try:
        cpython = [one for one in (files("test.test_email") / "data").iterdir()]
    except ModuleNotFoundError:
        cpython = []
    ours = sorted(SUBMITTED.glob("*.eml"))
    return [
        *sorted((one for one in cpython if one.name.endswith(".txt")), key=lambda one: one.name),
        *ours,
    ]


def wire(message: Traversable) -> bytes:
    """Return the message as SMTP carries it."""
    return message.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.mark.parametrize("message", corpus(), ids=lambda message: message.name)
def test_every_attachment_arrives_or_the_message_is_refused(message: Traversable) -> None:
    raw = wire(message)
    if message.name in REFUSED:
        with pytest.raises((Unreadable, Sealed), match=REFUSED[message.name]):
            convert(raw)
        return
    sent = Counter(map(_comparable, convert(raw).files))
    expected = Counter(_unpacked(attachments(raw)))
    for content in sent - expected:  # texts that are files for us, and what the library lost
        assert content in _unpacked(contents(raw)) or content in raw
    inside = expected - sent
    if message.name in LIBRARY_CUTS:
        assert all(any(one.startswith(content) for one in sent) for content in inside)
    else:
        assert all(content.startswith(b"\x89PNG") for content in inside), inside


def _comparable(file: File) -> bytes:
    return file.content.rstrip(b"\r\n") if file.media_type == "message/rfc822" else file.content


def _unpacked(found: list[bytes]) -> list[bytes]:
    """Open each ``winmail.dat`` (which no standard library does)."""
    opened = []
    for content in found:
        tnef = read_tnef(content)
        opened += [content] if tnef is None else [inner for _name, inner in tnef.files]
    return opened


@pytest.mark.parametrize("message", corpus(), ids=lambda message: message.name)
@pytest.mark.parametrize("signed", ["refuse", "attach"])
def test_the_check_at_submission_says_what_sending_will(message: Traversable, signed: str) -> None:
    raw = wire(message)
    outcomes = []
    for step in (lambda: check(parse(raw), signed), lambda: convert(raw, signed)):  # type: ignore[arg-type]
        try:
            step()
            outcomes.append("")
        except (Unreadable, Sealed) as fault:
            outcomes.append(str(fault))
    assert outcomes[0] == outcomes[1]
