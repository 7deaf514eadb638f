"""What is wrong with the settings, said all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.config.pointers import Pointers
from bridge.language import Sentence, listed


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One thing that is wrong; ``where`` is "file:line: key", as far as it is known."""

    where: str
    sentence: str

    def __str__(self) -> str:
        """Return it as one line."""
        return str(self.said)

    @property
    def said(self) -> Sentence:
        """The line, for whoever reads it in another language."""
        return listed(": ", (self.where, self.sentence))


@dataclass(frozen=True, slots=True)
class Rest:
    """What could be read of settings; ``where`` places a key in the file."""

    pointers: Pointers
    where: Callable[..., str]
    folder: Path


class ConfigError(Exception):
    """The settings cannot be used; ``faults`` lists everything that is wrong with them.

    ``rest`` gives what else they point to, for whoever can look for more faults there.
    """

    def __init__(self, faults: tuple[ConfigFault, ...], rest: Rest | None = None) -> None:
        super().__init__(listed("\n", (fault.said for fault in faults)))
        self.faults = faults
        self.rest = rest
