"""Words of a command line that came as bytes and are no text (PEP 383)."""

from __future__ import annotations


def is_text(word: str) -> bool:
    """Tell text from bytes that the system's encoding does not know."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
