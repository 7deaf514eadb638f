"""A secret: a text that masks itself in every form; only ``reveal`` gives it out."""

from __future__ import annotations


class Secret:
    """A text that does not show itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


class SecretFault(Exception):
    """A secret cannot be had; the text says why, without it."""
