"""What requests carry and answers hold, as pydantic models: checked, and described from the same.

Queries and bodies are read by them, strictly: what is unknown or out of bounds is refused. Answers
come from operations as they are; their models describe them, and tests hold both together.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from bridge.language import say
from bridge.limits import API_PAGE_EVENTS, API_PAGE_SENDS, API_WAIT_S
from bridge.model import Outcome, SubmissionState
from bridge.receipts.states import RecipientState
from bridge.store.events import EventKind

_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339 §5.6
INT64 = 2**63 - 1


def _digits(value: Any) -> int:
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise ValueError(say("is no number"))
    return int(value)


def _time(value: Any) -> datetime:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(say("is no RFC 3339 time, such as 2026-01-31T09:00:00Z"))
    return datetime.fromisoformat(value)


def _whole(value: Any) -> Any:
    """Take 7.0 for 7, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _text(value: str) -> str:
    if not value:
        raise ValueError(say("is empty"))
    return value


DIGITS = BeforeValidator(_digits)
"""A number in a query."""
Time = Annotated[
    AwareDatetime,
    BeforeValidator(_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""In a query: as RFC 3339."""
Text = Annotated[str, AfterValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
At = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-01-31T09:00:00.000Z"]}
    ),
]
"""In an answer: RFC 3339 in UTC."""

Wait = Annotated[
    int,
    Field(ge=0, le=int(API_WAIT_S), description="How many seconds the answer may wait for news."),
    DIGITS,
]


class RequestModel(BaseModel):
    """What a request carries; nothing that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# -- queries ---------------------------------------------------------------------------------------


class SendsQuery(RequestModel):
    """What narrows the list of sends."""

    since: Annotated[Time | None, Field(description="Only what was submitted from then on.")] = None
    state: Annotated[SubmissionState | None, Field(description="Only entries in this state.")] = (
        None
    )
    reference: Annotated[Text | None, Field(description="Only what its sender calls so.")] = None
    account: Annotated[
        Text | None,
        Field(description="The key's account; of another nothing is shown, whatever it has."),
    ] = None
    limit: Annotated[
        int, Field(ge=1, le=API_PAGE_SENDS, description="How many there are on a page."), DIGITS
    ] = 50
    cursor: Annotated[
        int | None, Field(ge=0, le=INT64, description="`next` of the page before."), DIGITS
    ] = None


class WaitUntil(Enum):
    """What a wait for a send waits for."""

    FINAL = "final"
    SUBMITTED = "submitted"


class SendQuery(RequestModel):
    """How long to wait, and for what."""

    wait: Wait = 0
    until: Annotated[
        WaitUntil,
        Field(description="WaitUntil receipts say all, or until the service took it."),
    ] = WaitUntil.FINAL


class EventsQuery(RequestModel):
    """From where on, how many, and how long to wait for the first."""

    after: Annotated[
        int, Field(ge=0, le=INT64, description="Only events behind this number."), DIGITS
    ] = 0
    limit: Annotated[
        int, Field(ge=1, le=API_PAGE_EVENTS, description="At most so many."), DIGITS
    ] = 100
    wait: Wait = 0


# -- bodies ----------------------------------------------------------------------------------------

Version = Annotated[int, Field(ge=0, le=INT64), BeforeValidator(_whole)]
_VERSION = "The `version` of the message that was decided on; if it has gone on since: 409."


class Decision(RequestModel):
    """What every body has in common: JSON types as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Cancel(Decision):
    """Taking a message back; may be repeated."""

    version: Annotated[Version | None, Field(description=_VERSION)] = None


class Retry(Decision):
    """Sending a waiting message now."""

    version: Annotated[Version, Field(description=_VERSION)]


class Resolve(Decision):
    """What a person knows of an uncertain message."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"action": {"const": "sent"}}},
            "then": {
                "required": ["code"],
                "properties": {"code": {"type": "string", "minLength": 1}},
            },
            "else": {"properties": {"code": {"type": "null"}}},
            "allOf": [
                {
                    "if": {"properties": {"action": {"enum": ["drop", "reopen"]}}},
                    "then": {"properties": {"force": {"const": False}}},
                }
            ],
        }
    )

    action: Annotated[
        Literal["sent", "resend", "drop", "reopen"],
        Field(
            description="`sent`: it left and got `code`. `resend`: it did not leave; it is sent, "
            "and paid for. `drop`: give it up. `reopen`: take an unconfirmed `sent`, or a `drop`, "
            "back."
        ),
    ]
    version: Annotated[Version, Field(description=_VERSION)]
    code: Annotated[
        str | None, Field(description="The service's code, whole; with `sent` alone.")
    ] = None
    force: Annotated[
        bool,
        Field(description="With `sent` or `resend`: though nothing confirms it. Costs if wrong."),
    ] = False

    @model_validator(mode="after")
    def _fits(self) -> Resolve:
        if (self.action == "sent") != bool(self.code) or self.code == "":
            raise ValueError(say("code goes with the action sent, and with no other"))
        if self.force and self.action not in ("sent", "resend"):
            raise ValueError(say("force goes with the actions sent and resend"))
        return self


# -- answers ---------------------------------------------------------------------------------------


class SendRecipient(BaseModel):
    """Where a message stands with one recipient."""

    address: str
    state: RecipientState
    at: Annotated[At | None, Field(description="Since when; null while pending.")]
    detail: str
    conflict: Annotated[bool, Field(description="Whether receipts contradict each other.")]


class SentMessage(BaseModel):
    """A message and what became of it, as `pec-bridge outcome --json` has it."""

    id: Annotated[str, Field(description="The queue's id, as in the reply 250.")]
    account: str | None
    message_id: str
    reference: Annotated[str, Field(description="What its sender calls it, empty for nothing.")]
    envid: Annotated[str, Field(description="`ENVID` of its submission, empty for none.")]
    code: Annotated[str | None, Field(description="The service's code, null before it gave one.")]
    subject: str
    outcome: Outcome
    state: SubmissionState
    version: Annotated[int, Field(description="Rises with each step; a decision names it.")]
    reason: Annotated[str, Field(description="Why, as a sentence; empty where nothing is to say.")]
    next: Annotated[str, Field(description="What is to be done, as a sentence.")]
    created_at: At
    updated_at: At
    sent_at: At | None
    accepted_at: At | None
    recipients: list[SendRecipient]
    by_listing: Annotated[
        bool, Field(description="There, and true, where some of it rests on a row not yet read.")
    ] = False
    on_word: Annotated[
        bool, Field(description="There, and true, where the code is a person's word.")
    ] = False


class SentPage(BaseModel):
    """A page of messages, the newest first."""

    sends: list[SentMessage]
    next: Annotated[
        str | None, Field(description="The `cursor` of the page after, null on the last.")
    ]


class SendEvent(BaseModel):
    """Something that happened, as `pec-bridge events --json` has it."""

    number: int
    at: At
    event: EventKind
    account: str | None
    id: str | None
    message_id: str | None
    reference: str | None
    envid: str | None
    code: str | None
    recipient: str | None
    detail: str


class Events(BaseModel):
    """What happened behind a number, in order."""

    events: list[SendEvent]
    next: Annotated[int, Field(description="What to ask for with `after` next time.")]
    missing: Annotated[
        bool, Field(description="Whether some right behind `after` are older than what is kept.")
    ]


class SendReceipt(BaseModel):
    """A receipt of a message."""

    number: Annotated[int, Field(description="Names it for good, within its message.")]
    kind: str
    at: At
    addresses: list[str]
    detail: str
    size_bytes: Annotated[
        int | None, Field(description="Of it as a message; null where its text is not here.")
    ]


class SendReceipts(BaseModel):
    """The receipts of a message, in order of time."""

    receipts: list[SendReceipt]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: Annotated[str, Field(description="Stays the same; see the list of problems.")]
    title: Annotated[str, Field(description="What the type means.")]
    status: int
    detail: Annotated[str, Field(description="A sentence about this very case.")]
