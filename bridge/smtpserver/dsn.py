"""What MAIL and RCPT ask about delivery status notifications. Pure.

    MAIL FROM:<…> [RET=FULL|HDRS] [ENVID=xtext]
    RCPT TO:<…> [NOTIFY=NEVER|SUCCESS,FAILURE,DELAY] [ORCPT=type;xtext]

What cannot be read is refused: it will be echoed, and whoever asked relies on that. Nothing decoded
holds a control character, so nothing that is echoed can end a line of a header.

RFCs: 3461 §4 (syntax), 6533 §3 (addresses of type utf-8).
"""

from __future__ import annotations

import re

from bridge.language import say
from bridge.smtpserver.path import Path, PathFault
from bridge.store.dsn import DsnWish, NotifyOn

ENVID_LIMIT_CHARS = 100
ORCPT_LIMIT_CHARS = 500
"""RFC 3461 §4.4 and §4.2, as encoded."""

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")
_TYPE = re.compile(r"[A-Za-z0-9-]{1,32}")
_UTF8 = "utf-8"
_UTF8_ADDRESS = re.compile(r"(?:[!-*,-<>-\[\]-~]|[^\x00-\x7f]|\\x\{[0-9A-F]{1,6}\})+")
_POINT = re.compile(r"\\x\{([0-9A-F]+)\}")


def envid_of(path: Path) -> str:
    """Return what the ENVID of MAIL says, decoded; "" without one.

    Raises:
        PathFault: it cannot be read.
    """
    given = path.parameters.get("ENVID", "")
    if len(given) > ENVID_LIMIT_CHARS:
        raise PathFault(say("ENVID may have {most} characters", most=ENVID_LIMIT_CHARS))
    return _decoded("ENVID", given)


def is_full(path: Path) -> bool:
    """Tell whether RET asks for the whole message in notifications of failures.

    Raises:
        PathFault: it cannot be read.
    """
    given = path.parameters.get("RET", "HDRS").upper()
    if given not in ("FULL", "HDRS"):
        raise PathFault(say("RET must be FULL or HDRS"))
    return given == "FULL"


def wish_of(path: Path) -> DsnWish:
    """Return what RCPT asks for its recipient.

    Raises:
        PathFault: it cannot be read.
    """
    return DsnWish(_notify(path), _original(path))


def _notify(path: Path) -> frozenset[NotifyOn] | None:
    given = path.parameters.get("NOTIFY")
    if given is None:
        return None
    if given.upper() == "NEVER":
        return frozenset()
    try:
        return frozenset(NotifyOn(one.lower()) for one in given.split(","))
    except ValueError:
        raise PathFault(
            say("NOTIFY must be NEVER, or some of SUCCESS, FAILURE and DELAY")
        ) from None


def _original(path: Path) -> str:
    given = path.parameters.get("ORCPT")
    if given is None:
        return ""
    kind, semicolon, address = given.partition(";")
    if len(given) > ORCPT_LIMIT_CHARS:
        raise PathFault(say("ORCPT may have {most} characters", most=ORCPT_LIMIT_CHARS))
    if not (semicolon and address and _TYPE.fullmatch(kind)):
        raise PathFault(say("ORCPT must be a type of address, a semicolon and an address"))
    shown = _global(address) if kind.lower() == _UTF8 else _decoded("ORCPT", address)
    if not shown.strip():
        raise PathFault(say("ORCPT names nobody"))
    return f"{kind};{shown}"


def _decoded(name: str, xtext: str) -> str:
    if not _XTEXT.fullmatch(xtext):
        raise PathFault(say("{name} is no xtext (RFC 3461)", name=name))
    text = _HEXCHAR.sub(lambda pair: chr(int(pair[1], 16)), xtext)
    if not (text.isascii() and text.isprintable()):
        raise PathFault(say("{name} holds what is no printable ASCII", name=name))
    return text


def _global(address: str) -> str:
    """Read an address outside ASCII, whose letters may be written as code points."""
    if not _UTF8_ADDRESS.fullmatch(address):
        raise PathFault(say("ORCPT is no utf-8 address (RFC 6533)"))
    try:
        text = _POINT.sub(lambda point: chr(int(point[1], 16)), address)
        text.encode()
    except ValueError:
        raise PathFault(say("ORCPT names a letter that there is not")) from None
    if not text.isprintable():
        raise PathFault(say("ORCPT holds what cannot be seen"))
    return text
