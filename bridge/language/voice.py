"""How the bridge speaks in its own messages, and titles that hold both languages. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.language.catalogue import Language, LanguageSetting

_TITLE = re.compile(r"(?P<it>[^:/]+) / (?P<en>[^:]+?)(?P<about>: .*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Voice:
    """The language of messages that the bridge writes, and where its page is.

    ``page`` is the page's address, without a slash at its end; "" where there is none.
    """

    language: LanguageSetting = "both"
    page: str = ""

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
