"""What the simulated API does where its description leaves a choice.

Each ambiguity of the published description is one field of ``Options`` without a default: a
caller says which reading holds, or starts from one of the two opposite ``READINGS``. Fields with
a default are settings, not readings. Nothing here acts; the other modules ask.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class Ids(Enum):
    """What ``id`` of an inbox row is."""

    STABLE = "stable"
    SEQUENCE = "sequence"
    """The position counted from the oldest row: shifts down after a deletion, as in IMAP."""


class ListingOrder(Enum):
    """In which order the listing pages and rows come."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NEWEST_PAGES = "newest-pages"
    """Newest page first, but ascending inside each page, as the published example hints."""


class PastEnd(Enum):
    """The answer to a page after the last one."""

    EMPTY = "empty"
    REPEAT = "repeat"
    NOT_FOUND = "not-found"


class PageCount(Enum):
    """How ``n_of_pages`` rounds."""

    CEIL = "ceil"
    FLOOR = "floor"


class PageCounts(Enum):
    """How ``page``, ``total`` and ``n_of_pages`` appear."""

    NUMBERS = "numbers"
    STRINGS = "strings"
    ABSENT = "absent"


class BodyTransfer(Enum):
    """How the ``body`` string of ``GET /inbox/{id}`` is encoded."""

    FORM_UTF8 = "form-utf8"
    FORM_CP1252 = "form-cp1252"
    PLAIN = "plain"


class BodyContent(Enum):
    """What the ``body`` string holds once decoded."""

    TEXT = "text"
    HTML = "html"
    MIME = "mime"
    """The whole message with its headers and parts."""


class ReceiptText(Enum):
    """The wording of receipts, which differs between providers."""

    TEMPLATE_A = "a"
    TEMPLATE_B = "b"
    ORIGINAL = "original"
    """Delivery receipts show the original message instead of their own text."""


class EnvelopeBody(Enum):
    """What the body of an incoming ``POSTA CERTIFICATA`` is."""

    ORIGINAL = "original"
    WRAPPER = "wrapper"
    """The provider's own text, which only names the original."""


class Dates(Enum):
    """How dates are written."""

    RFC2822 = "rfc2822"
    SQL = "sql"
    """``YYYY-MM-DD hh:mm:ss``, local Italian time, no zone."""


class Names(Enum):
    """How JSON fields are spelled."""

    PUBLISHED = "published"
    """``data``/``object``/``message`` in statuses, ``date``/``object``/``body`` in the inbox."""
    MAIL = "mail"
    """``date``/``subject``/``body`` everywhere."""
    ITALIAN = "italian"
    """``data``/``object``/``message`` everywhere."""


class CodePlace(Enum):
    """Where the answer to ``POST /send`` holds ``message_id``."""

    TOP = "top"
    TOP_NUMBER = "top-number"
    DATA = "data"
    DATA_NUMBER = "data-number"


class CodeForm(Enum):
    """What stands for ``message_id`` in the answer to ``POST /send``; all but CODE are odd."""

    CODE = "code"
    ERROR_TEXT = "error-text"
    FALSE = "false"
    ZERO = "zero"
    LIST = "list"
    OBJECT = "object"
    FLOAT = "float"
    LINE_END = "line-end"
    PATH = "path"
    MARKUP = "markup"


class SentCount(Enum):
    """What ``sent`` counts in the answer to ``POST /send``."""

    ONE = "one"
    RECIPIENTS = "recipients"
    ABSENT = "absent"
    ZERO = "zero"
    """Says that nothing was sent, though it was."""


class FanOut(Enum):
    """What several recipients in one request become."""

    ONE_PEC = "one-pec"
    PEC_EACH = "pec-each"


class QuotaUnit(Enum):
    """The unit of ``usage`` and ``limit``; the value is its bytes."""

    KILOBYTE = 1024
    MEGABYTE = 1024 * 1024
    BYTE = 1


class AttachmentForm(Enum):
    """Which spelling of an attachment's ``file`` is taken; the other is answered 400."""

    DATA_URI = "data-uri"
    BASE64 = "base64"
    EITHER = "either"


class Accents(Enum):
    """Where letters outside ASCII turn into U+FFFD."""

    KEPT = "kept"
    LOST_IN_STATUS = "lost-in-status"
    LOST = "lost"


class SenderShape(Enum):
    """How the sender of an incoming PEC is written."""

    QUOTED = "quoted"
    """``"Per conto di: a@b" `` with quotes, a trailing space and no angle address."""
    ANGLED = "angled"


class Missing(Enum):
    """The answer to the deletion of an inbox row that is not there."""

    OK = "ok"
    NOT_FOUND = "not-found"


class Errors(Enum):
    """How a refusal other than 401 is told."""

    STATUS = "status"
    OK_STATUS = "ok-status"
    """HTTP 200 with ``success: false``."""
    NESTED = "nested"
    """``message`` is itself JSON text with the error inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Seconds from a request's acceptance to each thing the PEC network then does."""

    acceptance_s: float = 0.0
    delivery_s: float = 0.0
    failure_s: float = 0.0
    first_notice_s: float = 12 * 3600.0
    final_notice_s: float = 23 * 3600.0

    def __post_init__(self) -> None:
        """Refuse what runs backwards."""
        for entry in dataclasses.fields(self):
            if getattr(self, entry.name) < 0:
                raise ValueError(f"{entry.name} must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One complete reading of the API's description, and settings.

    ``code_digits`` is the length of the code, 15 to 20 (14 of time, then a tail);
    ``send_interval_s`` answers 429 to a ``POST /send`` that starts sooner after the last one;
    ``subject_limit`` cuts listed subjects to so many characters; ``keep_content`` keeps the
    bytes of attachments, not only their digests.
    """

    ids: Ids
    page_base: int
    order: ListingOrder
    past_end: PastEnd
    page_count: PageCount
    counts: PageCounts
    body_transfer: BodyTransfer
    body_content: BodyContent
    receipt_text: ReceiptText
    envelope_body: EnvelopeBody
    dates: Dates
    names: Names
    code_place: CodePlace
    code_digits: int
    sent_count: SentCount
    fan_out: FanOut
    quota_unit: QuotaUnit
    attachment_form: AttachmentForm
    accents: Accents
    sender_shape: SenderShape
    missing: Missing
    errors: Errors

    code_form: CodeForm = CodeForm.CODE
    page_size: int = 25
    token: str = field(default="simulator-token", repr=False)
    latency_s: float = 0.0
    delays: Delays = field(default_factory=Delays)
    send_interval_s: float = 0.0
    retry_after_s: int | None = 1
    subject_limit: int | None = None
    keep_content: bool = True

    def __post_init__(self) -> None:
        """Refuse what no server could do."""
        if self.page_base not in (0, 1):
            raise ValueError("page_base must be 0 or 1")
        if not 15 <= self.code_digits <= 20:
            raise ValueError("code_digits must be between 15 and 20")
        if self.page_size < 1:
            raise ValueError("page_size must be positive")
        if self.latency_s < 0 or self.send_interval_s < 0:
            raise ValueError("times must not be negative")

    def replace(self, **changes: object) -> Options:
        """Return a copy with some fields changed, e.g. ``replace(ids=Ids.STABLE)``."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type] # their names were checked

    def with_settings(self, settings: Mapping[str, str]) -> Options:
        """Return a copy changed by text, as a command line gives it: ``{"ids": "stable"}``.

        Names of ``Delays`` fields are taken as well.

        Raises:
            ValueError: an unknown name or value; the sentence lists what is allowed.
        """
        changes: dict[str, object] = {}
        delays: dict[str, float] = {}
        for name, text in settings.items():
            key = name.replace("-", "_")
            if key in _DELAY_NAMES:
                delays[key] = _number(name, text)
            else:
                changes[key] = self._converted(key, text)
        if delays:
            changes["delays"] = dataclasses.replace(self.delays, **delays)
        return self.replace(**changes)

    def _converted(self, key: str, text: str) -> object:
        if key not in _OPTION_NAMES or key == "delays":
            known = ", ".join(sorted(_OPTION_NAMES - {"delays"} | _DELAY_NAMES))
            raise ValueError(f"no option is called {key!r}; there are: {known}")
        current = getattr(self, key)
        if isinstance(current, Enum):
            return _member(key, type(current), text)
        if isinstance(current, bool):
            return text.casefold() in ("1", "true", "yes", "on")
        if isinstance(current, str):
            return text
        if key in ("retry_after_s", "subject_limit") and text.casefold() == "none":
            return None
        number = _number(key, text)
        return number if isinstance(current, float) else int(number)


_OPTION_NAMES = frozenset(entry.name for entry in dataclasses.fields(Options))
_DELAY_NAMES = frozenset(entry.name for entry in dataclasses.fields(Delays))


def _member(key: str, kind: type[Enum], text: str) -> Enum:
    wanted = text.casefold().replace("_", "-")
    for member in kind:
        if wanted in (str(member.value), member.name.casefold().replace("_", "-")):
            return member
    allowed = ", ".join(member.name.casefold().replace("_", "-") for member in kind)
    raise ValueError(f"{key} can't be {text!r}; it is one of: {allowed}")


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{key} must be a number, not {text!r}") from None


SEQUENCE_READING = Options(
    ids=Ids.SEQUENCE,
    page_base=1,
    order=ListingOrder.NEWEST_PAGES,
    past_end=PastEnd.REPEAT,
    page_count=PageCount.FLOOR,
    counts=PageCounts.STRINGS,
    body_transfer=BodyTransfer.FORM_UTF8,
    body_content=BodyContent.TEXT,
    receipt_text=ReceiptText.TEMPLATE_A,
    envelope_body=EnvelopeBody.ORIGINAL,
    dates=Dates.RFC2822,
    names=Names.PUBLISHED,
    code_place=CodePlace.TOP,
    code_digits=16,
    sent_count=SentCount.ONE,
    fan_out=FanOut.ONE_PEC,
    quota_unit=QuotaUnit.KILOBYTE,
    attachment_form=AttachmentForm.DATA_URI,
    accents=Accents.LOST_IN_STATUS,
    sender_shape=SenderShape.QUOTED,
    missing=Missing.OK,
    errors=Errors.STATUS,
)
"""The API as a thin layer over an IMAP server, near the published examples."""

STABLE_READING = Options(
    ids=Ids.STABLE,
    page_base=0,
    order=ListingOrder.OLDEST,
    past_end=PastEnd.EMPTY,
    page_count=PageCount.CEIL,
    counts=PageCounts.NUMBERS,
    body_transfer=BodyTransfer.PLAIN,
    body_content=BodyContent.HTML,
    receipt_text=ReceiptText.TEMPLATE_B,
    envelope_body=EnvelopeBody.WRAPPER,
    dates=Dates.SQL,
    names=Names.MAIL,
    code_place=CodePlace.DATA_NUMBER,
    code_digits=15,
    sent_count=SentCount.RECIPIENTS,
    fan_out=FanOut.PEC_EACH,
    quota_unit=QuotaUnit.MEGABYTE,
    attachment_form=AttachmentForm.BASE64,
    accents=Accents.KEPT,
    sender_shape=SenderShape.ANGLED,
    missing=Missing.NOT_FOUND,
    errors=Errors.OK_STATUS,
)
"""The API as a table in a database, opposite to the other reading in every field."""

READINGS: Mapping[str, Options] = MappingProxyType(
    {"sequence": SEQUENCE_READING, "stable": STABLE_READING}
)
