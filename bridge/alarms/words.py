"""What an alarm is: whose, of which kind, about what, and its words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.alarms.kind import AlarmKind
from bridge.model import AccountId


@dataclass(frozen=True, slots=True)
class Notice:
    """An alarm's words.

    ``subject`` is one line, ``italian`` and ``english`` say the same; ``detail`` is the line for it
    where many are told together, "" for the end of the subject.
    """

    subject: str
    italian: str
    english: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a person has to look at, in INBOX of ``account``.

    ``key`` tells alarms of one kind apart. ``answers`` is the Message-ID of the sent message it is
    about, to be shown under that; "" for none.
    """

    account: AccountId
    kind: AlarmKind
    key: str
    notice: Notice
    answers: str = ""
