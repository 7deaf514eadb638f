"""Alarms and what else a person is told by a message in INBOX, in numbers that can be read.

``words`` is what an alarm is, ``alarm`` raises and ends them, ``notices`` decides what is told in a
message of its own and writes it, ``collected`` finds the words for the rest, and ``collector``
writes them, one message a day and account.
"""

from bridge.alarms.alarm import WRITTEN_ANEW, clear_alarm, raise_alarm, update_alarm
from bridge.alarms.kind import AlarmKind
from bridge.alarms.words import Alarm, Notice

__all__ = [
    "WRITTEN_ANEW",
    "Alarm",
    "AlarmKind",
    "Notice",
    "clear_alarm",
    "raise_alarm",
    "update_alarm",
]
