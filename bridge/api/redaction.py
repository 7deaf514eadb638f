"""Taking secrets out of what the API said, in whatever form it quotes them. Pure.

An API may quote what it was given: as it was, in its JSON, in a page of HTML, in an address, or
as the header field it came in, which is base64 of a name and a password.

Failure: none; what is masked too much is a record that says less.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
LEAST_BASE64_CHARS = 6
"""Of a secret inside a longer text; a shorter piece might be any word's."""


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """Return ``text`` with every secret in it masked, the longest form first."""
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield from _in_json(secret)
    yield from _in_html(secret)
    yield from _in_addresses(secret)
    yield from _in_base64(secret)


def _in_json(secret: str) -> Iterator[str]:
    for only_ascii in (True, False):
        text = json.dumps(secret, ensure_ascii=only_ascii)[1:-1]
        yield text
        yield text.replace("/", r"\/")


def _in_html(secret: str) -> Iterator[str]:
    text = html.escape(secret, quote=False)
    yield text
    quoted = text.replace('"', "&quot;")
    yield quoted
    for apostrophe in ("&#x27;", "&#39;", "&#039;", "&apos;"):
        yield quoted.replace("'", apostrophe)
    for numeric in ("&#{};", "&#x{:x};", "&#x{:X};"):
        yield "".join(
            char if char.isascii() and char.isalnum() else numeric.format(ord(char))
            for char in secret
        )
    yield quoted.encode("ascii", "xmlcharrefreplace").decode()


def _in_addresses(secret: str) -> Iterator[str]:
    content = secret.encode("utf-8", "surrogatepass")
    for text in (quote(content), quote(content, safe=""), quote_plus(content)):
        yield text
        yield _lower_escapes(text)


def _lower_escapes(text: str) -> str:
    first, *rest = text.split("%")
    return "%".join([first, *(piece[:2].lower() + piece[2:] for piece in rest)])


def _in_base64(secret: str) -> Iterator[str]:
    """Yield what base64 makes of the secret alone, and behind a name of any length."""
    content = secret.encode("utf-8", "surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(content).decode()
        yield whole
        if len(whole.rstrip("=")) >= LEAST_BASE64_CHARS:
            yield whole.rstrip("=")
        for before in range(3):
            end = (before + len(content)) * 8 // 6  # characters made of these bytes alone
            text = encode(bytes(before) + content).decode()
            for piece in (text[-(-before * 8 // 6) :], text[-(-before * 8 // 6) : end]):
                if len(piece) >= LEAST_BASE64_CHARS:
                    yield piece
