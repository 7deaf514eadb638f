"""Flags as clients write them: which they may set, and which are the bridge's."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.imapserver.reply import Bad
from bridge.imapserver.session import Session
from bridge.model import Flag, Flags, flag, is_reserved


@dataclass(frozen=True, slots=True)
class RequestedFlags:
    """Flags as a client wrote them: those it may set, and those that are the bridge's."""

    flags: Flags
    reserved: Flags


def wanted_flags(written: tuple[str, ...]) -> RequestedFlags:
    r"""Return flags as written, ``\\Recent`` left out: only the server sets it."""
    found: dict[str, Flag] = {}
    for name in written:
        if name.casefold() == "\\recent":
            continue
        try:
            value = flag(name)
        except ValueError:
            raise Bad(f"{name} is not a flag") from None
        found.setdefault(value.casefold(), value)
    reserved = frozenset(filter(is_reserved, found.values()))
    return RequestedFlags(frozenset(found.values()) - reserved, reserved)


def tell_ignored(session: Session, reserved: Flags) -> None:
    """Say that keywords of the bridge's were passed over (RFC 5530 §3 CANNOT)."""
    if reserved:
        names = ", ".join(sorted(reserved))
        session.send(f"* OK [CANNOT] {names}: only the bridge sets and clears these\r\n".encode())
