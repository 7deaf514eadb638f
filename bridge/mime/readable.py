"""What a person can read of a whole message or of an HTML page, as plain text. Pure."""

from __future__ import annotations

import email
import email.message
import email.policy
import html
import re

_LINE_END = re.compile(r"\r\n|\r")
_HIDDEN = re.compile(r"(?is)<(style|script|head|title)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)")
_BREAK = re.compile(r"(?i)<br\s*/?>|</(?:p|div|tr|li|h[1-6]|table|pre)\s*>")
_TAG = re.compile(r"<[!/?A-Za-z][^<>]*>")


def html_to_text(page: str) -> str:
    """Return the words of an HTML page, a line for each block."""
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", _HIDDEN.sub("", page))))


def readable_text(octets: bytes) -> str:
    """Return the first text of a message, with LF as line end; "" if it has none."""
    message = email.message_from_bytes(octets, policy=email.policy.compat32)
    for part in message.walk():
        if part.get_content_type() in ("text/plain", "text/html"):
            return _text(part)
    return ""


def _text(part: email.message.Message) -> str:
    payload = part.get_payload(decode=True)
    octets = payload if isinstance(payload, bytes) else b""
    try:
        text = octets.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        text = octets.decode("utf-8", "replace")
    text = _LINE_END.sub("\n", text)
    return html_to_text(text) if part.get_content_type() == "text/html" else text
