"""A sentence for people: a pattern, and what is filled in. Pure.

The pattern is the code of what is said, and its English words too, as with gettext: one
declaration, at the place that knows the reason. ``Sentence`` is a ``str`` of the English text, so
that logs, events and comparisons need to know nothing of languages; whoever puts it into an
f-string is left with that text, so larger sentences are made with ``say`` as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

_FIELD = re.compile(r"\{(\w+)\}")
_BEHIND = "\x1f"
"""Between pattern and values where both are one text; no text from outside keeps it."""


class Sentence(str):
    """See the module.

    Attributes:
        pattern: the English words, with ``{name}`` for what is filled in.
        values: what that is; a ``Sentence`` among it is put into the reader's language too.
    """

    pattern: str
    values: Mapping[str, str]

    def __new__(cls, pattern: str, values: Mapping[str, str]) -> Sentence:
        """Fill the values in."""
        made = super().__new__(cls, filled(pattern, values))
        made.pattern = pattern
        made.values = values
        return made

    def filled_with(self, **values: object) -> Sentence:
        """Return it with more values filled in: for patterns that stand in tables."""
        return say(self.pattern, **{**self.values, **values})

    def __reduce__(self) -> tuple[type[Sentence], tuple[str, Mapping[str, str]]]:
        """Say how it is copied and pickled."""
        return Sentence, (self.pattern, self.values)


def say(pattern: str, /, **values: object) -> Sentence:
    """Return a sentence.

    Args:
        pattern: its English words, a literal: the catalogues are made from the source.
        values: what is filled in; an exception stands for what it says.
    """
    return Sentence(pattern, {name: _text(value) for name, value in values.items()})


def listed(between: str, parts: Iterable[str]) -> Sentence:
    """Return parts in a row, those that say something; each keeps its own languages."""
    values = {f"part{number}": part for number, part in enumerate(filter(None, parts))}
    return Sentence(between.join(f"{{{name}}}" for name in values), values)


def filled(pattern: str, values: Mapping[str, str]) -> str:
    """Return a pattern with its values in; what has no value is left as it stands."""
    return _FIELD.sub(lambda found: str(values.get(found[1], found[0])), pattern)


def _text(value: object) -> str:
    if isinstance(value, BaseException):
        value = value.args[0] if value.args else ""
    return value if isinstance(value, str) else str(value)


def packed(text: str) -> str:
    """Return a text with all that it takes to say it in another language, for ``unpacked``."""
    if not isinstance(text, Sentence):
        return text.replace(_BEHIND, " ")
    if not text.values:
        return text.pattern.replace(_BEHIND, " ")
    values = {name: packed(value) for name, value in text.values.items()}
    return f"{text.pattern}{_BEHIND}{json.dumps(values)}"


def unpacked(text: str) -> Sentence:
    """Return what ``packed`` was given; a text of older versions is a sentence without values."""
    pattern, behind, rest = text.partition(_BEHIND)
    if not behind:
        return Sentence(text, {})
    try:
        values = {str(name): unpacked(value) for name, value in json.loads(rest).items()}
    except (ValueError, AttributeError, TypeError):
        return Sentence(pattern, {})
    return Sentence(pattern, values)


NOTHING = Sentence("", {})
"""What needs no saying."""
