"""What the fuzzer drives: one function for each reader of foreign bytes.

Each takes any bytes and returns; what it raises is a fault of the reader. The faults that a reader
promises to raise are caught here, and nothing else is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bridge.api import schema
from bridge.api.lenient import UnreadableAnswer, text_of
from bridge.imap.errors import ImapFault
from bridge.imap.framing import CommandLine, Framer
from bridge.imap.parser import parse
from bridge.mime.ingest import ingest
from bridge.mime.strict.content import convert
from bridge.mime.strict.rules import SubmissionFault, SubmissionRules
from bridge.mime.strict.submission import Additions, Envelope, check_submission
from bridge.receipts.receipt import read_receipt
from bridge.store.remote import RemoteId
from tests.api.whole import whole
from tests.in_memory import in_memory

ADDRESS = "azienda@pec.example"
_LITERAL_LIMIT_BYTES = 4096
_KEPT = re.compile(r"(?is)<style\b.*?</style\s*>|<!--.*?-->")
"""What of a body keeps its letters: there a reference would be text."""

_AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


def imap(data: bytes) -> None:
    """Bytes give the same commands whole and one by one, and each is parsed or refused."""
    at_once = _commands([data])
    assert at_once == _commands([data[at : at + 1] for at in range(len(data))])


def _commands(chunks: list[bytes]) -> list[object]:
    framer = Framer(_LITERAL_LIMIT_BYTES)
    found: list[object] = []
    for chunk in chunks:
        framer.feed(chunk)
        while True:
            try:
                event = framer.next_event()
                if event is None:
                    break
                found.append(parse(event) if isinstance(event, CommandLine) else event)
            except ImapFault as fault:
                found.append((type(fault), fault.tag, fault.text))
    return found


def mime(data: bytes) -> None:
    """Any bytes are a message; its pieces are as long as they say."""
    message = ingest(data)
    assert message.size_bytes == len(data)


def submission(data: bytes) -> None:
    """What is let through before ``250`` can be posted."""
    rules = SubmissionRules(bcc="separate", signed="attach")
    envelope = Envelope(ADDRESS, ("cliente@pec.example",), trusted=True)
    additions = Additions(lambda: "Thu, 15 Jan 2026 10:00:00 +0100", lambda: "<made@pec.example>")
    try:
        taken = check_submission(data, envelope, rules, additions)
    except SubmissionFault:
        return
    content = convert(in_memory(taken.raw), rules.signed)
    assert _KEPT.sub("", content.body).isascii()
    assert "\n" not in content.subject


def api(data: bytes) -> None:
    """An answer is read, or called unreadable; a listing says the same read a row at a time."""
    listing = _page(lambda listed: whole(schema.read_listing(text_of(listed))), data)
    try:
        reply = schema.read_reply(data)
    except UnreadableAnswer:
        assert listing is None
        return
    assert listing == _page(lambda _: reply, data)
    for read in (
        schema.read_page,
        lambda one: schema.read_message(one, "1"),
        schema.read_status,
        schema.read_quota,
    ):
        try:
            read(reply)
        except UnreadableAnswer:
            continue


def _page(opened: Callable[[bytes], schema.Reply], data: bytes) -> schema.InboxPage | None:
    try:
        return schema.read_page(opened(data))
    except UnreadableAnswer:
        return None


def receipt(data: bytes) -> None:
    """A row of any subject, sender and body says something or nothing."""
    text = data.decode("utf-8", "replace")
    subject, _, rest = text.partition("\n")
    sender, _, body = rest.partition("\n")
    read_receipt(RemoteId(1), subject, sender, body, _AT)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (imap, mime, submission, api, receipt)
}
