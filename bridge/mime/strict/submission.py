"""The rules a message must meet before it is queued, and what it is made of when it does.

Whatever the PEC rules or the API would refuse later is refused here, with an SMTP reply code, an
enhanced status code (RFC 3463) and a sentence that says what to change. Missing fields are added
as RFC 6409 §8 allows a submission server to; nothing else of the bytes is touched.

RFCs: 5321 §3.6.3, 5322 §3.6, 6409 §6 and §8; the PEC rules are those of RFC 6109 §3.1.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bridge.language import say
from bridge.mime.grammar.addr_spec import comparable
from bridge.mime.grammar.held import Held
from bridge.mime.strict import content
from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.lookalike import reads_like_header
from bridge.mime.strict.part import HeaderField, SubmittedPart
from bridge.mime.strict.part import parse as parse_part
from bridge.mime.strict.reference import FIELD, reference_of
from bridge.mime.strict.rules import SubmissionFault, SubmissionRules, check_size
from bridge.mime.strict.text import addresses

_MAILBOX = re.compile(r"[^\s<>]@[^\s<>]")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_ONCE = ("from", "subject", "message-id")
_LEFT_BEHIND = (
    "reply-to",
    "sender",
    "x-tiporicevuta",
    "disposition-notification-to",
    "return-receipt-to",
    "importance",
    "priority",
    "x-priority",
    "resent-from",
)
"""Fields by which a sender may want something; the API has no place for them."""


_SHOWN_CHARS = 200
_LISTED = 10
_AS_SENT = say(" once its images are in its text and its files encoded")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The SMTP envelope; ``trusted`` if it came from an application that need not log in.

    ``urgent`` if all that comes from there goes ahead. ``envid`` is the client's ENVID, decoded.
    """

    reverse_path: str
    recipients: tuple[str, ...]
    trusted: bool = False
    urgent: bool = False
    envid: str = ""


@dataclass(frozen=True, slots=True)
class Additions:
    """Makes what is put in where a message lacks it: a ``Date`` value, a ``Message-ID``."""

    date: Callable[[], str]
    message_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Submission:
    """A message that may be queued.

    ``raw`` is what is kept: the bytes as submitted, with missing fields added in front; a large
    one may be held elsewhere.
    ``identity`` is what tells it from another message of the same text: the Message-ID it came
    with, well formed or not, else its Date; "" if it had neither.
    ``entries`` are the recipients of each PEC to be sent: one, and one more for each hidden
    recipient. ``has_message_id`` unless the bridge had to make one. ``left_behind`` names the
    fields that say something and do not travel. ``urgent`` if the sender marked it so
    (``X-Priority: 1``). ``reference`` is the sender's own name for it, "" for none.
    """

    raw: bytes | Held
    message_id: str
    identity: str
    subject: str
    entries: tuple[tuple[str, ...], ...]
    has_message_id: bool = True
    left_behind: tuple[str, ...] = ()
    urgent: bool = False
    reference: str = ""


@dataclass(frozen=True, slots=True)
class _Named:
    """The addresses that the header names, as spelled there, and the fields themselves."""

    fields: tuple[HeaderField, ...]
    authors: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]

    @classmethod
    def read(cls, fields: tuple[HeaderField, ...]) -> _Named:
        names = ("from", "to", "cc", "bcc")
        return cls(fields, *(addresses(_values(fields, name)) for name in names))

    def unread(self, *names: str) -> str:
        """Return the first of these fields that says something and names nobody, "" if none."""
        for field in self.fields:
            says = field.name in names and _MAILBOX.search(field.value)
            if says and not addresses([field.value]):
                return f"{field.name.title()}: {field.value}"
        return ""

    def holding(self, hidden: list[str]) -> str:
        """Return the first To or Cc field in which a hidden recipient stands after all."""
        for field in self.fields:
            text = field.value.casefold()
            if field.name in ("to", "cc") and any(one.casefold() in text for one in hidden):
                return f"{field.name.title()}: {field.value}"
        return ""


def check_submission(
    raw: bytes, envelope: Envelope, rules: SubmissionRules, additions: Additions
) -> Submission:
    """Return what is to be queued for the message ``raw``.

    Takes time in proportion to the message; beyond 64 KB not for an event loop.

    Args:
        raw: the message, as submitted.
        envelope: who sends it, and to whom.
        rules: what the PEC rules, the plan and the settings allow.
        additions: makes the fields that it lacks.

    Raises:
        SubmissionFault: it may not be sent; nothing of it is kept.
    """
    try:
        return _checked(raw, envelope, rules, additions)
    except Unreadable as fault:
        raise SubmissionFault(
            554, "5.6.0", say("The message cannot be read: {fault}. Nothing was sent.", fault=fault)
        ) from None
    except content.Sealed as fault:
        raise SubmissionFault(
            554,
            "5.6.1",
            say(
                "The whole message is {fault}, which would not survive: PEC signs messages "
                "itself. Send it unsigned and unencrypted, or attach the signed file.",
                fault=fault,
            ),
        ) from None


def _checked(
    raw: bytes, envelope: Envelope, rules: SubmissionRules, additions: Additions
) -> Submission:
    message = parse_part(raw)
    fields = message.fields
    _check_fields(fields)
    named = _Named.read(fields)
    _check_header(message, named)
    _check_from(named, envelope)
    if envelope.trusted and content.says_nothing(message):
        raise SubmissionFault(
            554,
            "5.6.0",
            say(
                "The message has neither text nor an attachment, as when a program that writes it "
                "fails: nothing was sent."
            ),
        )
    reference = reference_of(_values(fields, FIELD), envelope.envid)
    given = _message_id(fields)
    message_id = given or additions.message_id()
    added = [] if given else [("Message-ID", message_id)]
    date = next(filter(None, _values(fields, "date")), "")
    if not date:
        added.append(("Date", additions.date()))
    added += _people(named, envelope)
    entries = _entries(named, envelope, rules)
    most = max(map(len, entries))
    check_size(len(raw), most, rules)
    check_size(content.check(message, rules.signed), most, rules, _AS_SENT)
    return Submission(
        raw=_with_fields(message, added) if added else raw,
        message_id=message_id,
        identity=given or next(iter(_values(fields, "message-id")), "") or date,
        subject=content.subject_of(fields),
        entries=entries,
        has_message_id=any(_values(fields, "message-id")),
        left_behind=tuple(name for name in _LEFT_BEHIND if any(_values(fields, name))),
        urgent=envelope.urgent or any(map(_is_highest, _values(fields, "x-priority"))),
        reference=reference,
    )


def _check_fields(fields: tuple[HeaderField, ...]) -> None:
    names = [field.name for field in fields]
    for name in _ONCE:
        if names.count(name) > 1:
            raise SubmissionFault(
                554,
                "5.6.0",
                say(
                    "The message has more than one {title} field, so nobody could say which "
                    "counts (RFC 5322 section 3.6).",
                    title=name.title(),
                ),
            )


def _check_header(message: SubmittedPart, named: _Named) -> None:
    """Refuse a header that something cut off or keeps from being one."""
    if named.authors and named.to:
        return
    if reads_like_header(message.raw, message.start):
        raise Unreadable(
            say(
                "something stands before its header or in the middle of it (a byte order "
                "mark, a blank line, other text), so that fields would be sent as text"
            )
        )


def _check_from(named: _Named, envelope: Envelope) -> None:
    authors = named.authors
    if not authors and (field := named.unread("from")):
        raise _unreadable_field(field)
    if not authors and envelope.trusted:
        return
    if len(authors) != 1 or comparable(authors[0]) != comparable(envelope.reverse_path):
        shown = _listed(list(authors)) or say("empty or missing")
        raise SubmissionFault(
            550,
            "5.7.1",
            say(
                "The From field must be {reverse_path}, the mailbox that sends: it is {shown}.",
                reverse_path=envelope.reverse_path,
                shown=shown,
            ),
        )


def _unreadable_field(field: str) -> SubmissionFault:
    shown = field if len(field) <= _SHOWN_CHARS else f"{field[:_SHOWN_CHARS]}..."
    return SubmissionFault(
        550,
        "5.6.0",
        say(
            "This field of the message is there and cannot be read; a name that holds "
            "quotation marks, commas or the like goes between double quotes. {shown}",
            shown=shown,
        ),
    )


def _entries(
    named: _Named, envelope: Envelope, rules: SubmissionRules
) -> tuple[tuple[str, ...], ...]:
    to, cc = _folded(_to(named, envelope)), _folded(named.cc)
    recipients = _once(envelope.recipients)
    if not to:
        if field := named.unread("to"):
            raise _unreadable_field(field)
        raise SubmissionFault(
            550, "5.7.1", say("The message has no recipient in its To field, as PEC demands.")
        )
    only_copied = cc - to
    copied = [one for one in recipients if comparable(one) in only_copied]
    if copied and rules.cc == "refuse":
        raise SubmissionFault(
            550,
            "5.7.1",
            say(
                "Cc is not allowed here, because PEC by this service knows only To. Move to "
                "the To field: {copied}.",
                copied=_listed(copied),
            ),
        )
    in_fields = to | cc
    hidden = [one for one in recipients if comparable(one) not in in_fields]
    _check_hidden(named, hidden, rules)
    if len(recipients) > rules.max_recipients:
        raise SubmissionFault(
            554,
            "5.5.3",
            say(
                "The message has {recipients} recipients, more than the plan allows in one "
                "period ({max_recipients}). Send it in parts.",
                recipients=len(recipients),
                max_recipients=rules.max_recipients,
            ),
        )
    shown = tuple(one for one in recipients if one not in hidden)
    return ((shown,) if shown else ()) + tuple((one,) for one in hidden)


def _to(named: _Named, envelope: Envelope) -> tuple[str, ...]:
    """Return who To names; where it is missing and may be, whom neither Cc nor Bcc names."""
    if named.to or not envelope.trusted or named.unread("to"):
        return named.to
    others = _folded(named.cc) | _folded(named.bcc)
    return tuple(one for one in envelope.recipients if comparable(one) not in others)


def _check_hidden(named: _Named, hidden: list[str], rules: SubmissionRules) -> None:
    if rules.bcc == "separate":
        return
    if field := named.holding(hidden[:_LISTED]):
        raise _unreadable_field(field)
    shown = list(dict.fromkeys([*hidden, *named.bcc]))
    if shown:
        raise SubmissionFault(
            550,
            "5.7.1",
            say(
                "PEC forbids hidden recipients (Bcc). Put into To or Cc, or send separately "
                "to: {shown}.",
                shown=_listed(shown),
            ),
        )


def _people(named: _Named, envelope: Envelope) -> list[tuple[str, str]]:
    """Return From and To as far as they are missing and may be."""
    added = []
    if not named.authors:
        added.append(("From", f"<{envelope.reverse_path}>"))
    to = _to(named, envelope)
    if to and not named.to:
        added.append(("To", ",\r\n ".join(f"<{one}>" for one in to)))
    return added


def _with_fields(message: SubmittedPart, added: list[tuple[str, str]]) -> bytes:
    """Put fields in front; unusable ones of the same name (empty, no address) make way.

    An mbox line in front, which is no part of the message, goes: it would stand among the fields.
    """
    names = {name.lower() for name, _value in added}
    front = "".join(f"{name}: {value}\r\n" for name, value in added).encode()
    kept = b"".join(field.line for field in message.fields if field.name not in names)
    if kept and not kept.endswith(b"\n"):
        kept += b"\r\n"
    return b"".join((front, kept, b"\r\n", memoryview(message.raw)[message.start :]))


def _values(fields: tuple[HeaderField, ...], name: str) -> list[str]:
    return [field.value for field in fields if field.name == name]


def _is_highest(priority: str) -> bool:
    """Tell whether an ``X-Priority`` is the highest: ``1``, perhaps with a word behind it."""
    return priority.split("(")[0].strip() == "1"


def _message_id(fields: tuple[HeaderField, ...]) -> str:
    value = next(iter(_values(fields, "message-id")), "")
    match = _MESSAGE_ID.search(value)
    return match[0] if match else ""


def _once(given: tuple[str, ...]) -> tuple[str, ...]:
    spelled: dict[str, str] = {}
    for one in given:
        spelled.setdefault(comparable(one), one)
    return tuple(spelled.values())


def _folded(given: tuple[str, ...]) -> set[str]:
    return {comparable(one) for one in given}


def _listed(shown: list[str]) -> str:
    rest, listed = len(shown) - _LISTED, ", ".join(shown[:_LISTED])
    return say("{listed} and {rest} more", listed=listed, rest=rest) if rest > 0 else listed
