"""What can be wrong with what a client sent. Nothing else escapes from this package."""

from __future__ import annotations


class ImapFault(Exception):
    """A client's command cannot be taken; ``tag`` is ``*`` if it could not be read.

    Args:
        tag: the command's.
        text: why, for the client; a word of its own stands in it as ``{}``.
        quoted: that word, which may be a part of a password sent at the wrong time.

    Attributes:
        unquoted: why, with the word left out, for whoever else reads it.
    """

    def __init__(self, tag: str, text: str, quoted: str = "") -> None:
        self.text = text.replace("{}", quoted) if quoted else text
        super().__init__(self.text)
        self.tag = tag
        self.unquoted = text.replace("{}", "(not shown)") if quoted else text


class SyntaxFault(ImapFault):
    """The command breaks the grammar; answered BAD, and the connection goes on."""


class TooMuch(ImapFault):
    """The command asks for more than the server takes; answered NO [LIMIT] (RFC 5530 §3)."""


class TooLong(ImapFault):
    """A line is over the limit; refused before it is read."""


class LiteralTooLong(TooLong):
    """A literal is over the limit; refused before it is asked for (RFC 7889 §4 TOOBIG)."""


class Flood(TooLong):
    """A refused command goes on beyond all reason: the connection is to be closed."""
