"""What can be wrong with what a client sent. Nothing else escapes from this package."""

from __future__ import annotations


class ImapFault(Exception):
    """A client's command cannot be taken; ``tag`` is ``*`` if it could not be read."""

    def __init__(self, tag: str, text: str) -> None:
        super().__init__(text)
        self.tag = tag
        self.text = text


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
