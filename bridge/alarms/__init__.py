"""Alarms and what else a person is told by a message in INBOX, in numbers that can be read.

``alarm`` raises and ends alarms, ``notices`` decides what is told in a message of its own and
writes it, ``collected`` finds the words for the rest, and ``collector`` writes them, one message a
day and account.
"""

from bridge.alarms.alarm import clear_alarm, raise_alarm, update_alarm
from bridge.alarms.kind import AlarmKind

__all__ = ["AlarmKind", "clear_alarm", "raise_alarm", "update_alarm"]
