"""Unicode normalisation of what comes from outside, in linear time. Pure.

Python puts a run of combining marks in order in time that grows with the square of its length,
and holds the interpreter meanwhile. So runs are cut to what text in any language has room for
(UAX #15 §13, Stream-Safe Text Format: 30 marks) before they are normalised, and long texts are
taken in slices. ``unicodedata.normalize`` is called nowhere else on foreign text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final, Literal
from unicodedata import combining, normalize

from bridge.limits import MARKS_IN_A_ROW, TEXT_SLICE_CHARS

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

_WHERE: Final = ((0x300, 0x3100), (0xA66F, 0xAC00), (0xFB1E, 0x10000))
_WHERE_ASTRAL: Final = ((0x10000, 0x12000), (0x16A00, 0x17000), (0x1BC00, 0x1F000))
"""Where the marks are."""
_MARKS_BY_DECOMPOSITION: Final = "\u0f73\u0f75\u0f81\uff9e\uff9f"
"""Letters that become marks."""
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_BEFORE_A_CUT: Final = 2 * MARKS_IN_A_ROW


def normalised(form: Form, text: str) -> str:
    """Return ``text`` in a normal form, its runs of marks cut to ``MARKS_IN_A_ROW``.

    >>> normalised("NFC", "Citta\u0300") == "Citt\u00e0"
    True
    """
    return text if text.isascii() else normalize(form, stream_safe(text))


def stream_safe(text: str) -> str:
    """Return ``text`` without what stands in a run of marks behind the first ones."""
    if text.isascii():
        return text
    most = MARKS_IN_A_ROW
    return _runs(bool(_ASTRAL.search(text))).sub(lambda run: run[0][:most], text)


def in_slices(change: Callable[[str], str], text: str) -> str:
    """Return what ``change`` makes of ``text``, slice by slice.

    Other threads have their turn between two slices. No slice ends inside CR LF, nor, but for
    runs of marks that are cut anyway, between a letter and its marks.
    """
    if len(text) <= TEXT_SLICE_CHARS:
        return change(text)
    return "".join(map(change, _slices(text)))


def _slices(text: str) -> Iterator[str]:
    at = 0
    while len(text) - at > TEXT_SLICE_CHARS:
        end = at + TEXT_SLICE_CHARS
        tail = text[end - _BEFORE_A_CUT : end + 1]
        places = range(len(tail) - 1, 0, -1)
        end -= next((len(tail) - 1 - n for n in places if _may_cut(tail[n - 1], tail[n])), 0)
        yield text[at:end]
        at = end
    yield text[at:]


def _may_cut(before: str, after: str) -> bool:
    return not _is_mark(after) and not (before == "\r" and after == "\n")


def _is_mark(char: str) -> bool:
    return combining(char) != 0 or char in _MARKS_BY_DECOMPOSITION


@cache
def _runs(astral: bool) -> re.Pattern[str]:
    """Return what finds runs that are too long; ten times faster without astral marks."""
    where = _WHERE + _WHERE_ASTRAL if astral else _WHERE
    marks = [chr(code) for bounds in where for code in range(*bounds) if _is_mark(chr(code))]
    mark = f"[{''.join(marks)}]"
    return re.compile(f"{mark}{mark}{{{MARKS_IN_A_ROW - 1}}}{mark}++")
