"""The lines of a trace, made so that no password can be in them. Pure.

Of what a client says only what a server understood is shown, and of the commands that log in only
their names. A line that is no command is counted and not shown: a client that goes on after its
login was refused sends its password as one; nor is shown what a refusal quotes of it. Tags of IMAP
are the client's to choose, and are left out on both sides. Texts in mail are shown as they come: a
trace holds mail, as the mailboxes do.
"""

from __future__ import annotations

import re

LINE_CHARS = 1_000
"""Of one line; of the rest it is told how long it is."""

LINES = 40
"""Of one reply."""

IMAP_LOGIN = frozenset({"LOGIN", "AUTHENTICATE"})
SMTP_SHOWN = frozenset({"EHLO", "HELO", "MAIL", "RCPT"})
"""Commands whose arguments are shown."""

SMTP_KNOWN = SMTP_SHOWN | {"AUTH", "DATA", "HELP", "NOOP", "QUIT", "RSET", "STARTTLS", "VRFY"}
_MECHANISMS = frozenset({"PLAIN", "LOGIN"})
_TAGGED = re.compile(rb"\A[^\s*+]\S* (?=(?:OK|NO|BAD) )")
_SEARCH = re.compile(rb'\* ESEARCH \(TAG "[^"]*"\)')
_LITERAL = re.compile(rb"(\{\d+\+?\})\n")


def shown(data: bytes) -> str:
    """Return one line's bytes as text in one line, shortened."""
    text = data[:LINE_CHARS].decode("utf-8", "backslashreplace")
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    left = len(data) - LINE_CHARS
    return f"{text}… ({left} bytes more)" if left > 0 else text


def masked(data: bytes, what: str = "not shown") -> str:
    """Return how long something is that is not shown."""
    return f"({what}, {len(data)} bytes)"


def imap_command(name: str, text: bytes, *, is_known: bool) -> str:
    """Return a command that was understood.

    Args:
        name: as the table of commands has it.
        text: the whole of it, each literal marked by ``{n}LF``.
        is_known: whether somebody has logged in; before, nothing but names is shown.
    """
    if name in IMAP_LOGIN or not is_known:
        return f"{name} {masked(text)}" if " " in text.decode("latin-1").strip() else name
    _tag, _, words = text.partition(b" ")
    return shown(_LITERAL.sub(rb"\1 (not shown) ", words))


def imap_line(text: bytes) -> str:
    """Return a client's line that is no command: DONE, or an answer of a login's."""
    return "DONE" if text.strip().upper() == b"DONE" else masked(text)


def imap_reply(data: bytes) -> list[str]:
    """Return what is sent to a client, a text for each line, the client's tags left out."""
    lines = data.split(b"\r\n")
    if lines[-1] == b"":
        lines.pop()
    texts = [shown(_tagless(line)) for line in lines[:LINES]]
    if len(lines) > LINES:
        texts.append(f"({len(lines) - LINES} lines more)")
    return texts


def _tagless(line: bytes) -> bytes:
    found = _SEARCH.match(line)  # RFC 4731 §3.1: it names the tag, too
    if found is not None:
        return b"* ESEARCH (tag)" + line[found.end() :]
    return _TAGGED.sub(b"(tag) ", line, count=1)


def smtp_command(line: bytes) -> str:
    """Return a client's line, if it is a command."""
    verb, _, argument = line.partition(b" ")
    name = verb.decode("latin-1").upper()
    if name not in SMTP_KNOWN:
        return masked(line, "no command, not shown")
    if name in SMTP_SHOWN:
        return shown(line)
    mechanism = argument.partition(b" ")[0].decode("latin-1").upper()
    if name == "AUTH" and mechanism in _MECHANISMS:
        return f"AUTH {mechanism} {masked(argument)}"
    return f"{name} {masked(argument)}" if argument.strip() else name
