"""Notifications as programs read them: by the standard library, and by the grammar of RFC 3464."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import cast

_ATOM = r"[A-Za-z0-9-]+"
_TYPED = re.compile(rf"{_ATOM}; ?\S.*")
_FIELDS = {
    "original-envelope-id": re.compile(r"[ -~]+"),
    "reporting-mta": _TYPED,
    "arrival-date": None,
    "x-queue-id": re.compile(r"[ -~]+"),
    "original-recipient": _TYPED,
    "final-recipient": _TYPED,
    "action": re.compile("failed|delayed|delivered|relayed|expanded"),
    "status": re.compile(r"[245]\.\d{1,3}\.\d{1,3}"),
    "remote-mta": _TYPED,
    "diagnostic-code": _TYPED,
    "last-attempt-date": None,
}
_ABOUT = {"reporting-mta"}
_OF_RECIPIENT = {"final-recipient", "action", "status"}


@dataclass(frozen=True, slots=True)
class Notified:
    """What a notification says; ``recipients`` by address without its type."""

    message: EmailMessage
    about: dict[str, str]
    recipients: dict[str, dict[str, str]]

    @property
    def actions(self) -> dict[str, str]:
        return {one: fields["action"] for one, fields in self.recipients.items()}

    @property
    def returned(self) -> EmailMessage:
        return list(cast("list[EmailMessage]", self.message.get_payload()))[2]


def is_notification(message: EmailMessage) -> bool:
    return message.get_content_type() == "multipart/report"


def read_notification(message: EmailMessage) -> Notified:
    """Read a notification, and expect it to be one to the letter (RFC 3464 §2, RFC 6522 §3)."""
    assert message.defects == []
    assert message.get_param("report-type") == "delivery-status"
    assert message["Return-Path"] == "<>"
    assert message["Auto-Submitted"] == "auto-replied"
    text, status, _ = cast("list[EmailMessage]", message.get_payload())
    assert text.get_content_type() == "text/plain"
    assert re.fullmatch("message/(global-)?delivery-status", status.get_content_type())
    about, *groups = (_fields(one) for one in cast("list[EmailMessage]", status.get_payload()))
    assert about.keys() >= _ABOUT
    assert groups
    for group in groups:
        assert group.keys() >= _OF_RECIPIENT
        assert group["status"][0] == {"failed": "5", "delayed": "4"}.get(group["action"], "2")
    recipients = {one["final-recipient"].partition("; ")[2]: one for one in groups}
    assert len(recipients) == len(groups)
    return Notified(message, about, recipients)


def _fields(part: EmailMessage) -> dict[str, str]:
    fields = {}
    for name, value in part.items():
        pattern = _FIELDS[name.lower()]
        if pattern is None:
            assert parsedate_to_datetime(str(value)).tzinfo is not None
        else:
            assert pattern.fullmatch(str(value)), (name, value)
        assert name.lower() not in fields
        fields[name.lower()] = str(value)
    return fields
