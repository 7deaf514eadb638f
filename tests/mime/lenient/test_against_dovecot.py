"""Malformed mail as Dovecot sees it, item by item.

What is asked of both: ENVELOPE, BODY, BODYSTRUCTURE, RFC822.SIZE, each part's text, header and
MIME header, sets of header fields, a partial, and each leaf decoded. Where we differ on purpose,
``deliberate`` says so with the reason; anything else fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import pytest

from bridge.mime.grammar.header import header_fields
from bridge.mime.ingest import Ingested, ingest
from bridge.mime.lenient.part import BodyPart, PartKind, decode_parts
from bridge.mime.lenient.section import SectionText, decode_section, find_part, locate
from tests.in_memory import in_memory
from tests.mime.dovecot import Crash, Dovecot, Value, dovecot, missing, read_values
from tests.mime.malformed import BY_HAND, MENDED, mutated, python_corpus, with_crlf

pytestmark = pytest.mark.peer

MOST_PARTS = 20  # asked for of one message
NAMES = ("FROM", "SUBJECT", "CONTENT-TYPE")


@dataclass(frozen=True)
class Difference:
    item: str
    ours: Value
    theirs: Value

    def __str__(self) -> str:
        return f"{self.item}\n  ours   {self.ours!r}\n  theirs {self.theirs!r}"


def part_numbers(part: BodyPart, above: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Yield the numbers of all parts, and some that name nothing."""
    if part.kind is PartKind.MESSAGE:
        part = part.children[0]
    if part.kind is not PartKind.MULTIPART:
        yield (*above, 1)
    for number, child in enumerate(part.children, start=1):
        yield (*above, number)
        yield from part_numbers(child, (*above, number))
    yield (*above, len(part.children) + 2)


def differences(peer: Dovecot, number: int, raw: bytes) -> Iterator[Difference]:
    """Yield where we and Dovecot don't say the same of one message."""
    message = ingest(raw)
    root = decode_parts(message.parts)
    numbers = [(), *dict.fromkeys(part_numbers(root))][:MOST_PARTS]
    for expected in (
        *([one] for one in whole(message)),
        texts(raw, root, numbers),
        *([one] for one in leaves(raw, root, numbers)),
    ):
        try:
            theirs = peer.fetch(number, [item for item, _ours in expected])
        except Crash:
            continue  # its bug
        for item, ours in expected:
            shown = item.replace(".PEEK", "").replace("<0.30>", "<0>")
            said = theirs.get(shown, b"left out") if theirs is not None else None
            if ours != said and not deliberate(item, ours, said, raw):
                yield Difference(item, ours, said)


Expected = list[tuple[str, Value]]


def whole(message: Ingested) -> Expected:
    names = frozenset(name.encode() for name in NAMES)
    chosen = f"({' '.join(NAMES)})"
    return [
        # BODY before the rest: once its cache calls a text plain, Dovecot forgets how it said so.
        ("BODY", read_values(message.imap_body)[0]),
        ("BODYSTRUCTURE", read_values(message.imap_bodystructure)[0]),
        ("ENVELOPE", read_values(message.imap_envelope)[0]),
        ("RFC822.SIZE", b"%d" % message.size_bytes),
        ("BODY.PEEK[]<0.30>", in_memory(message.raw)[:30]),
        (f"BODY.PEEK[HEADER.FIELDS {chosen}]", header_fields(message.header, names, negate=False)),
        (
            f"BODY.PEEK[HEADER.FIELDS.NOT {chosen}]",
            header_fields(message.header, names, negate=True),
        ),
    ]


def texts(raw: bytes, root: BodyPart, numbers: Sequence[tuple[int, ...]]) -> Expected:
    found: Expected = []
    for path in numbers:
        for text in SectionText:
            if path or text is not SectionText.MIME:
                name = ".".join([*map(str, path), *([text.value] if text.value else [])])
                found.append((f"BODY.PEEK[{name}]", raw[locate(root, path, text)]))
    return found


def leaves(raw: bytes, root: BodyPart, numbers: Sequence[tuple[int, ...]]) -> Expected:
    found: Expected = []
    for path in numbers:
        part = find_part(root, path)
        # Dovecot decodes what is inside a multipart or message too and puts other headers in;
        # RFC 3516 §4.3 gives those as they are, for they are not encoded themselves.
        if path and part is not None and not part.children:
            name = ".".join(map(str, path))
            found.append((f"BINARY.PEEK[{name}]", decode_section(raw, root, path)))
    return found


def deliberate(item: str, ours: Value, theirs: Value, raw: bytes) -> str:
    """Return why we differ here, "" if there is no reason."""
    if NUL_IN_NAME.search(raw):
        return "Dovecot takes a field's name to end at a NUL; that is not its name"
    if isinstance(ours, list) and odd_names(ours, theirs, raw):
        return "what stands in angle brackets is the address, whatever the name before it is"
    if not isinstance(ours, bytes):
        return ""
    if not isinstance(theirs, bytes):
        if theirs is None and not ours:
            return "what is empty, or not there, is an empty string here and may be NIL there"
        if item.startswith("BINARY") and FOLDED_ENCODING.search(raw):
            return "a folded Content-Transfer-Encoding is as good as another; Dovecot skips it"
        return ""
    return different_text(item, ours.replace(b"\0", b"\x80"), theirs)


def odd_names(ours: Value, theirs: Value, raw: bytes) -> bool:
    """Say whether nothing differs but addresses from one on that has an odd name.

    There Dovecot ends its list; we go on.
    """
    if ours == theirs:
        return True
    if not isinstance(ours, list):
        return False
    if all(isinstance(one, list) and len(one) == 4 for one in ours):
        known = theirs if isinstance(theirs, list) else []
        first = next((one for at, one in enumerate(ours) if known[at : at + 1] != [one]), None)
        return isinstance(first, list) and in_brackets(first, raw)
    if not isinstance(theirs, list) or len(ours) != len(theirs):
        return False
    return all(odd_names(*pair, raw) for pair in zip(ours, theirs, strict=True))


def in_brackets(address: list[Value], raw: bytes) -> bool:
    name, _route, mailbox, domain = address
    if not isinstance(mailbox, bytes) or not isinstance(domain, bytes):
        return False
    return bool(name) and b"<%b@%b>" % (mailbox, domain) in raw


NUL_IN_NAME = re.compile(rb"(?m)^[^:\r\n]*\0[^:\r\n]*:")
FOLDED_ENCODING = re.compile(rb"(?i)content-transfer-encoding:[^\n]*\n[ \t]")


def different_text(item: str, ours: bytes, theirs: bytes) -> str:
    if ours == theirs:
        return "Dovecot shows NUL as 0x80, for no literal may hold it; here the FETCH command does"
    if ours == theirs + b"\r\n" and ("MIME" in item or "HEADER" in item):
        return "the header of a part without a body keeps its blank line (RFC 3501 §6.4.5)"
    if "HEADER.FIELDS " in item and theirs.startswith(ours.replace(b"\r\r\n", b"\r\n")):
        return (
            "a stray CR is left in its place, and a blank line is not put where the header has none"
        )
    return ""


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    reason = missing()
    if reason:
        pytest.skip(reason)


def assert_agreement(messages: dict[str, bytes]) -> None:
    found = []
    with dovecot(list(messages.values())) as peer:
        for number, (name, raw) in enumerate(messages.items(), start=1):
            # Dovecot gives every LF a CR, and a size to match; we keep the bytes as they are.
            found += [f"{name}: {one}" for one in differences(peer, number, with_crlf(raw))]
    assert not found, "\n".join(found[:10])


def test_by_hand() -> None:
    assert_agreement(BY_HAND | MENDED)


def test_python_corpus() -> None:
    corpus = python_corpus()
    if not corpus:
        pytest.skip("this Python comes without its own tests")
    assert_agreement(corpus)


BEHIND_AN_OPEN_COMMENT = {"2.122"}
"""An address of which a comment is never closed: what follows the bracket counts here."""


@pytest.mark.parametrize("seed", range(3))
def test_mutations(seed: int) -> None:
    random = Random(seed)
    small = [raw for raw in python_corpus().values() if len(raw) < 20_000]
    originals = [*small, *filter(None, BY_HAND.values())]
    made = {f"{seed}.{number}": mutated(random, originals) for number in range(300)}
    assert_agreement(
        {name: raw for name, raw in made.items() if name not in BEHIND_AN_OPEN_COMMENT}
    )
