"""Telling a client the name that goes for the one it wrote (RFC 9051 §6.3.9.7)."""

from __future__ import annotations

from bridge.imap import responses
from bridge.imap.mailboxname import DELIMITER, spelled_otherwise
from bridge.imapserver.session import Session


def tell_spelling(session: Session, written: str, name: str) -> None:
    """Say under which name goes what the client spelled otherwise (RFC 9051 §6.3.9.7)."""
    written = written.removesuffix(DELIMITER)
    if "IMAP4REV2" in session.enabled and spelled_otherwise(written):
        session.send(responses.renamed(name, written, utf8=session.utf8))
