"""What the settings allow a submission to be, and what is raised for one that is not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge.language import NOTHING, Sentence, say
from bridge.mime.strict.content import SignedPolicy


class SubmissionFault(Exception):
    """The message is refused: ``code`` and ``status`` as SMTP gives them, then a sentence."""

    def __init__(self, code: int, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class SubmissionRules:
    """What the settings say about submissions; see DESIGN's ``[send]``.

    ``max_message_bytes`` bounds size times recipients; ``max_recipients`` is what the plan allows
    in one period.
    """

    max_message_bytes: int = 30 * 1024**2
    max_recipients: int = 3_500
    cc: Literal["join", "refuse"] = "join"
    bcc: Literal["refuse", "separate"] = "refuse"
    signed: SignedPolicy = "refuse"


def check_size(
    size_bytes: int, recipient_count: int, rules: SubmissionRules, when: Sentence = NOTHING
) -> None:
    """Refuse a message whose size times recipients is more than PEC allows.

    Args:
        size_bytes: the message's, or what it will have when it is posted.
        recipient_count: how many recipients one PEC of it has.
        rules: what is allowed.
        when: added to the sentence where the size is not that of the bytes submitted.

    Raises:
        SubmissionFault: 552 5.3.4.
    """
    if size_bytes * recipient_count <= rules.max_message_bytes:
        return
    each = say(" for {count} recipients", count=recipient_count) if recipient_count > 1 else NOTHING
    allowed_bytes = rules.max_message_bytes // recipient_count
    raise SubmissionFault(
        552,
        "5.3.4",
        say(
            "The message is too large{each}: PEC counts its size for each recipient, so at "
            "most {allowed_bytes} bytes may be sent to so many, and it has "
            "{size_bytes}{when}.",
            each=each,
            allowed_bytes=allowed_bytes,
            size_bytes=size_bytes,
            when=when,
        ),
    )
