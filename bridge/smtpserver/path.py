"""The arguments of MAIL and RCPT. Pure.

    MAIL FROM:<reverse-path> [SP parameters]      RCPT TO:<forward-path> [SP parameters]

As lenient as widespread servers: blanks after the colon and a missing pair of brackets pass, a
source route is dropped (RFC 5321 Appendix F.2). An address is Unicode where SMTPUTF8 allows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bridge.language import say

LOCAL_PART_LIMIT = 64
PATH_LIMIT = 254

_PATH = re.compile(
    r"[ \t]*(?:<(?:@[^:>]*:)?(?P<bracketed>(?:\"(?:[^\"\\]|\\.)*\"|[^\s<>\"])*)>"
    r"|(?P<bare>[^\s<>]+))(?P<rest>(?:[ \t]+\S+)*)[ \t]*"
)
_ADDRESS = re.compile(
    r"(?:\"(?:[^\"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*\"|[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f]+)"
    r"@(?:[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f.]+(?:\.[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f.]+)*\.?"
    r"|\[[0-9A-Za-z:.]+\])"
)


class PathFault(ValueError):
    """The argument cannot be read; ``status`` is the enhanced status code."""

    def __init__(self, sentence: str, status: str = "5.5.4") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


@dataclass(frozen=True, slots=True)
class Path:
    """``address`` is "" for the null reverse-path; parameter names are upper case."""

    address: str
    parameters: dict[str, str] = field(default_factory=dict)


def parse_path(argument: str | None, keyword: str) -> Path:
    """Read ``FROM:<a@b> SIZE=3``; ``keyword`` is ``FROM`` or ``TO``.

    Raises:
        PathFault: it is malformed.
    """
    expected = f"Syntax: {'MAIL' if keyword == 'FROM' else 'RCPT'} {keyword}:<address>"
    head, colon, rest = (argument or "").partition(":")
    match = _PATH.fullmatch(rest) if colon and head.strip().upper() == keyword else None
    if match is None:
        raise PathFault(expected)
    address = match["bracketed"] if match["bare"] is None else match["bare"]
    if address and not is_address(address):
        raise PathFault(say("{address} is not a mail address", address=repr(address)), "5.1.3")
    parameters = {}
    for word in match["rest"].split():
        name, _, value = word.partition("=")
        if name.upper() in parameters:
            raise PathFault(say("{name} is there twice", name=name.upper()))
        parameters[name.upper()] = value
    return Path(address, parameters)


def is_address(text: str) -> bool:
    """Tell whether ``text`` is a mailbox address with a domain."""
    if _ADDRESS.fullmatch(text) is None or len(text) > PATH_LIMIT:
        return False
    return len(text.rpartition("@")[0].encode("utf-8", "replace")) <= LOCAL_PART_LIMIT
