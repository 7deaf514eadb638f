"""What an alarm is: whose, of which kind, about what, and its words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.alarms.kind import AlarmKind
from bridge.model import AccountId

_ENTRY = re.compile(r"([0-9A-F]{17,20})(?![0-9A-Za-z])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Notice:
    """An alarm's words.

    ``subject`` is one line, ``Italian / English: what it is about``, of which whoever reads in one
    language is shown one half (``language.Title``). ``italian`` and ``english`` say the same;
    ``detail`` is the line for it where many are told together, "" for the end of the subject.
    """

    subject: str
    italian: str
    english: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a person has to look at, in INBOX of ``account``.

    ``key`` tells alarms of one kind apart. ``answers`` is the Message-ID of the sent message it is
    about, to be shown under that; "" for none. ``is_quiet`` if no message tells of it: whoever it
    concerns said what they want to be notified of.
    """

    account: AccountId
    kind: AlarmKind
    key: str
    notice: Notice
    answers: str = ""
    is_quiet: bool = False

    @property
    def entry(self) -> str | None:
        """The queue id of the entry it is about, None if it is about no single one."""
        return entry_of(self.key)


def entry_of(key: str) -> str | None:
    """Return the queue id in an alarm's key: what is about an entry has that at its beginning."""
    found = _ENTRY.match(key)
    return found[1] if found else None
