"""How flags of messages change, and what a change did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bridge.model import (
    Flags,
    ModSeq,
    Uid,
    is_reserved,
)


class FlagChange(Enum):
    """How flags are combined with a message's (RFC 3501 §6.4.6).

    ``REPLACE`` is a client's: it keeps what is the bridge's to set; ``SET`` keeps nothing.
    """

    SET = "set"
    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"

    def combine(self, old: Flags, flags: Flags) -> Flags:
        """Return the flags after the change."""
        match self:
            case FlagChange.SET:
                return flags
            case FlagChange.REPLACE:
                return flags | frozenset(filter(is_reserved, old))
            case FlagChange.ADD:
                return old | flags
            case FlagChange.REMOVE:
                folded = {flag.casefold() for flag in flags}
                return frozenset(flag for flag in old if flag.casefold() not in folded)


@dataclass(frozen=True, slots=True)
class FlagsOutcome:
    """What a change of flags did: new flags by UID, and UIDs left alone as changed since.

    ``modseq`` is the MODSEQ of everything changed; ``missing`` are UIDs that no longer exist.
    """

    modseq: ModSeq
    changed: dict[Uid, Flags]
    conflicts: tuple[Uid, ...]
    missing: tuple[Uid, ...]
