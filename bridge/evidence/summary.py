"""What people read of an archive: a page in Italian and English, and a note on what it is. Pure.

Everything from outside is escaped by the templates, is shown without control characters and in a
direction of its own, and the pages load nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bridge.evidence.manifest import Entry

STATES: Mapping[str, tuple[str, str]] = {
    "queued": ("in coda", "queued"),
    "dispatching": ("in corso di invio", "being sent"),
    "submitted": ("preso in carico dal servizio", "taken by the service"),
    "refused": ("rifiutato, non inviato", "refused, not sent"),
    "held": ("trattenuto, non inviato", "held, not sent"),
    "cancelled": ("annullato, non inviato", "cancelled, not sent"),
    "dropped": ("abbandonato, forse inviato", "given up, may have been sent"),
    "uncertain": ("incerto, forse inviato", "uncertain, may have been sent"),
    "restored": ("da una copia di sicurezza, forse inviato", "from a backup, may have been sent"),
}
"""States of an entry, in Italian and English."""

RECIPIENT_STATES: Mapping[str, tuple[str, str]] = {
    "pending": ("nessuna ricevuta", "no receipt"),
    "accepted": ("accettato", "accepted"),
    "accepted_uncertifiable": (
        "accettato; casella non certificata",
        "accepted; not a certified mailbox",
    ),
    "late_12h": ("non consegnato entro 12 ore", "not delivered within 12 hours"),
    "failed_24h": ("non consegnato entro 24 ore", "not delivered within 24 hours"),
    "failed": ("non consegnato", "not delivered"),
    "delivered": ("consegnato", "delivered"),
}
"""States of a recipient, in Italian and English."""


def readme() -> bytes:
    """Return the note on what the archive is and what it is not."""
    return _pages().get_template("README.txt").render().encode()


def summary(
    facts: Mapping[str, Any], timeline: Sequence[Mapping[str, Any]], files: Sequence[Entry]
) -> bytes:
    """Return the page about one send.

    Args:
        facts: the result of the operation ``export send``.
        timeline: what happened, in order.
        files: the archive's other files.
    """
    page = _pages().get_template("summary.html")
    rendered = page.render(
        facts=facts,
        timeline=timeline,
        files=files,
        states=STATES,
        recipient_states=RECIPIENT_STATES,
        has_message=any(one.name == "message.eml" for one in files),
        incomplete=[one for one in facts["receipts"] if one["row"] is None],
    )
    return rendered.encode("utf-8", "replace")


def index_pieces(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield the page that lists the sends of a collection."""
    stream = _pages().get_template("index.html").stream(rows=rows, states=STATES)
    stream.enable_buffering(100)
    for piece in stream:
        yield piece.encode("utf-8", "replace")


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("bridge.evidence"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters["shown"] = _shown
    return pages


def _shown(value: object) -> str:
    """Return text without what is not printed, which could hide or turn around the rest."""
    if value is None:
        return "-"
    return "".join(char if char.isprintable() else "\ufffd" for char in str(value))
