"""A client's own copy of what it submitted, told from the submission's by its bytes.

The bridge puts fields in front that a message lacks (``submission``). A client that files a copy
of its own in ``Sent`` has no part of them, not even the Message-ID by which a copy is known.

Never raises.
"""

from __future__ import annotations

from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.part import parse_fields, split_header

ADDED = frozenset({"date", "from", "message-id", "to"})
"""Fields that a submission may be given; see ``submission.check_submission``."""


def adds_only(submitted: bytes, own: bytes) -> bool:
    """Say whether ``submitted`` is ``own`` with fields put in front, and nothing else.

    Fields of ``own`` may have made way for those of the same name.
    """
    starts = bodies(submitted, own)
    return starts is not None and submitted[starts[0] :] == own[starts[1] :]


def bodies(submitted: bytes, own: bytes) -> tuple[int, int] | None:
    """Return where the body of each begins if their headers are as for ``adds_only``, else None.

    Takes the beginnings of both, as far as their headers are within.
    """
    try:
        head, at = _taken_apart(submitted)
        own_head, own_at = _taken_apart(own)
    except Unreadable:
        return None
    count = 0
    while count < len(head) and head[count][0] in ADDED and head[count] not in own_head:
        count += 1
    names = {name for name, _line in head[:count]}
    kept = [field for field in own_head if field[0] not in names]
    return (at, own_at) if count > 0 and head[count:] == kept else None


def _taken_apart(raw: bytes) -> tuple[list[tuple[str, bytes]], int]:
    start, end, body = split_header(raw)
    fields = parse_fields(raw[start:end])
    return [(field.name, field.line.rstrip(b"\r\n")) for field in fields], body
