"""How the bridge speaks in its own messages, and titles that hold both languages. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bridge.language.catalogue import Language, LanguageSetting

Mark = Literal["none", "flag", "subject"]
_MARK = "[PEC]"
_TITLE = re.compile(r"(?P<it>[^:/]+) / (?P<en>[^:]+?)(?P<about>: .*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Voice:
    """The language of messages that the bridge writes, and where its page is.

    ``page`` is the page's address, without a slash at its end; "" where there is none. ``mark`` is
    how they stand out: by a flag, or by the first word of their subject.
    """

    language: LanguageSetting = "both"
    page: str = ""
    mark: Mark = "none"

    def marked(self, subject: str) -> str:
        """Return the subject of a message, with the mark if it is to stand there."""
        return f"{_MARK} {subject}" if self.mark == "subject" else subject

    def link(self, path: str) -> str:
        """Return the address of something on the page, "" without one."""
        return f"{self.page}{path}" if self.page else ""


class Title(str):
    """A title in both languages, as alarms have: ``Italian / English: what it is about``.

    Whoever reads it is shown the half that is theirs (``rendered``).
    """

    __slots__ = ()

    def said_in(self, language: Language) -> str:
        """Return it in a language; as it stands if it is in one alone."""
        found = _TITLE.fullmatch(self)
        return str(self) if found is None else f"{found[language]}{found['about'] or ''}"
