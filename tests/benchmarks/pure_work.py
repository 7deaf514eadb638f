"""The pure work that ``pure_paths`` times: no network, no store, inputs that never change.

Each function here makes its inputs ready and returns the work; what a checkout lacks it fails to
import, and only that line is then missing for it.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

Work = Callable[[], object]

BATCH = 512
"""Messages of one batch of a FETCH."""

CODE = "2026011510000092"

COMMANDS: Mapping[str, bytes] = MappingProxyType(
    {
        "parse NOOP": b"a1 NOOP\r\n",
        "parse STATUS": b'a2 STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)\r\n',
        "parse UID FETCH": (
            b"a3 UID FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE "
            b"BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)])\r\n"
        ),
        "parse UID STORE": b"a4 UID STORE 17,19:23,4711 +FLAGS.SILENT (\\Seen $Forwarded)\r\n",
        "parse UID SEARCH": (
            b"a5 UID SEARCH RETURN (ALL) UNDELETED SINCE 1-Jan-2026 OR FROM mario SUBJECT fattura "
            b"NOT HEADER Message-ID <1@pec.example>\r\n"
        ),
        "parse APPEND": b"a6 APPEND Sent (\\Seen) {8192+}\r\n" + b"x" * 8192 + b"\r\n",
    }
)


def _text(size_bytes: int) -> str:
    chance = random.Random(1)
    words = [
        "".join(chance.choices("abcdeilmnoprstuv", k=chance.randint(2, 10))) for _ in range(99)
    ]
    lines = []
    while size_bytes > 0:
        lines.append(" ".join(chance.choices(words, k=10)))
        size_bytes -= len(lines[-1]) + 2
    return "\r\n".join(lines) + "\r\n"


def _message(number: int, size_bytes: int = 8192) -> bytes:
    head = (
        "From: Azienda <azienda@pec.example>\r\n"
        f"To: Cliente {number} <cliente{number}@pec.example>\r\n"
        f"Subject: Fattura elettronica n. {number} di gennaio\r\n"
        f"Date: Thu, 15 Jan 2026 10:{number % 60:02}:00 +0100\r\n"
        f"Message-ID: <{number}@pec.example>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return (head + _text(size_bytes - len(head))).encode()


def _with_attachment(size_bytes: int = 100 * 1024) -> bytes:
    head, _, text = _message(1, 2048).decode().partition("\r\n\r\n")
    head = head.replace("text/plain; charset=utf-8", 'multipart/mixed; boundary="border"')
    encoded = base64.encodebytes(random.Random(2).randbytes(size_bytes * 3 // 4)).decode()
    return (
        f"{head}\r\n\r\n--border\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        '--border\r\nContent-Type: application/pdf; name="fattura.pdf"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="fattura.pdf"\r\n\r\n'
        + encoded.replace("\n", "\r\n")
        + "--border--\r\n"
    ).encode()


def parse(name: str) -> Work:
    """One command, from the bytes that came to its value."""
    from bridge.imap.framing import CommandLine, Framer
    from bridge.imap.parser import parse as parse_line

    framer, sent = Framer(1 << 20), COMMANDS[name]

    def work() -> object:
        framer.feed(sent)
        line = framer.next_event()
        assert isinstance(line, CommandLine), line
        return parse_line(line)

    return work


def render_flags() -> Work:
    """FLAGS and UID of a batch."""
    from bridge.imap.sections import Item
    from bridge.imapserver.dataitems.column import index_column, lines
    from bridge.model import ANSWERED, SEEN, Flags

    sets: list[Flags] = [frozenset(), frozenset({SEEN}), frozenset({SEEN, ANSWERED})]
    index = SimpleNamespace(uids=range(1, BATCH + 1), flags=[sets[n % 3] for n in range(BATCH)])
    selected: Any = SimpleNamespace(view=SimpleNamespace(index=index), recent=set())
    batch: Any = SimpleNamespace(positions=range(BATCH), contents=range(BATCH))
    items = (Item.UID, Item.FLAGS)
    return lambda: lines(
        range(1, BATCH + 1), [index_column(item, selected, batch) for item in items], []
    )


def render_fields() -> Work:
    """INTERNALDATE, RFC822.SIZE and header fields that are worked out already, of a batch."""
    from bridge.imap.sections import Item
    from bridge.imapserver.dataitems.column import index_column, lines, literals

    dates = [1_768_467_600 + 977 * n for n in range(BATCH)]
    index = SimpleNamespace(internal_dates=dates, zones=[60] * BATCH, sizes=[8192] * BATCH)
    selected: Any = SimpleNamespace(view=SimpleNamespace(index=index), recent=set())
    batch: Any = SimpleNamespace(positions=range(BATCH), contents=range(BATCH))
    texts = [_message(n, 0).partition(b"MIME")[0] + b"\r\n" for n in range(BATCH)]
    name = "BODY[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)]"
    items = (Item.RFC822_SIZE, Item.INTERNALDATE)
    return lambda: lines(
        range(1, BATCH + 1),
        [
            *(index_column(item, selected, batch) for item in items),
            literals(name, texts, binary=False),
        ],
        [],
    )


def render_envelopes() -> Work:
    """ENVELOPE and BODYSTRUCTURE that the store has ready, of a batch."""
    from bridge.imap.sections import Item
    from bridge.imapserver.dataitems.column import lines, piece_column
    from bridge.mime.ingest.message import ingest

    one = ingest(_message(1))
    columns = {
        Item.ENVELOPE: [one.imap_envelope] * BATCH,
        Item.BODYSTRUCTURE: [one.imap_bodystructure] * BATCH,
    }
    return lambda: lines(
        range(1, BATCH + 1), [piece_column(item, column) for item, column in columns.items()], []
    )


def render_body() -> Work:
    """The whole of one message."""
    from bridge.imapserver.dataitems.column import literals, pieces

    raw = _message(1)
    return lambda: pieces(
        [1], [literals("BODY[]", cast(list[bytes | None], [raw]), binary=False)], []
    )


def pick_fields() -> Work:
    """Header fields of one message, out of its header."""
    from bridge.mime.grammar.header import header_fields

    names = frozenset([b"FROM", b"TO", b"SUBJECT", b"DATE", b"MESSAGE-ID"])
    header = _message(1).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return lambda: header_fields(header, names, negate=False)


def ingest_text() -> Work:
    """A plain message of 8 KB: parts, envelope, texts for searches."""
    from bridge.mime.ingest.message import ingest

    raw = _message(1)
    return lambda: ingest(raw)


def ingest_attachment() -> Work:
    """A message with an attachment, 100 KB."""
    from bridge.mime.ingest.message import ingest

    raw = _with_attachment()
    return lambda: ingest(raw)


def _check(raw: bytes) -> Work:
    from bridge.mime.strict.rules import SubmissionRules
    from bridge.mime.strict.submission import Additions, Envelope, check_submission

    envelope = Envelope("azienda@pec.example", ("cliente1@pec.example",))
    additions = Additions(lambda: "Thu, 15 Jan 2026 10:00:00 +0100", lambda: "<1@pec.example>")
    rules = SubmissionRules()
    return lambda: check_submission(raw, envelope, rules, additions)


def check_text() -> Work:
    """A plain submission of 8 KB against the rules."""
    return _check(_message(1))


def check_attachment() -> Work:
    """A submission with an attachment, 100 KB."""
    return _check(_with_attachment())


def _row(number: int) -> dict[str, object]:
    return {
        "id": f"{number}",
        "sender": f"posta-certificata@pec{number % 3}.example",
        "recipient": "azienda@pec.example",
        "date": f"2026-01-15 10:{number % 60:02}:00",
        "object": f"CONSEGNA: Fattura elettronica n. {number} di gennaio {CODE}",
    }


def api_page() -> Work:
    """The answer with a page of 25 rows, from its bytes to rows."""
    from bridge.api import lenient
    from bridge.api.schema import read_listing, read_page

    page = {"data": [_row(n) for n in range(25)], "success": True, "message": "", "total": 25}
    content = json.dumps({**page, "page": 1, "n_of_pages": 1}).encode()
    text_of = getattr(lenient, "text_of", lambda same: same)  # earlier commits read bytes
    return lambda: read_page(_opened(read_listing(text_of(content))))


def _opened(listing: Any) -> Any:
    """Return an opened listing; earlier commits read it in one piece."""
    while isinstance(listing, Generator):
        try:
            next(listing)
        except StopIteration as ended:
            listing = ended.value
    return listing


def receipt_row() -> Work:
    """A row of the API read as a receipt, without its text."""
    return _receipt(None)


def receipt_text() -> Work:
    """A row of the API with its text read as a receipt."""
    return _receipt(
        "Ricevuta di avvenuta consegna\n\nIl giorno 15/01/2026 alle ore 10:00:00 (+0100) il "
        f'messaggio\n"Fattura elettronica n. 1 di gennaio {CODE}" proveniente da '
        '"azienda@pec.example"\ned indirizzato a "cliente1@pec.example"\n'
        "è stato consegnato nella casella di destinazione.\n"
        f"Identificativo messaggio: {CODE}\n"
    )


def _receipt(body: str | None) -> Work:
    from bridge.receipts.receipt import read_receipt
    from bridge.store.remote import RemoteId

    row, at = _row(1), datetime(2026, 1, 15, 9, tzinfo=UTC)
    subject, sender = str(row["object"]), str(row["sender"])
    read = partial(read_receipt, RemoteId(1), subject, sender, body, at)
    assert (read().statement is None) is (body is None), "the row is no receipt of its message"
    return read


PATHS: Mapping[str, tuple[Callable[[], Work], int]] = MappingProxyType(
    {
        **{name: (partial(parse, name), 500) for name in COMMANDS},
        f"render {BATCH} x UID FLAGS": (render_flags, 50),
        f"render {BATCH} x header fields": (render_fields, 20),
        f"render {BATCH} x ENVELOPE BODYSTRUCTURE": (render_envelopes, 20),
        "render one body": (render_body, 2000),
        "pick header fields": (pick_fields, 500),
        "ingest 8 KB of text": (ingest_text, 10),
        "ingest an attachment, 100 KB": (ingest_attachment, 5),
        "check 8 KB of text": (check_text, 20),
        "check an attachment, 100 KB": (check_attachment, 5),
        "an API page of 25 rows": (api_page, 20),
        "a row as a receipt": (receipt_row, 200),
        "a row and its text as a receipt": (receipt_text, 100),
    }
)
"""Each with how often one measurement does it."""
