"""What is wrong with the settings, said all at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; ``where`` is "file:line: key", as far as it is known."""

    where: str
    sentence: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.where}: {self.sentence}" if self.where else self.sentence


class ConfigError(Exception):
    """The settings cannot be used; ``faults`` lists everything that is wrong with them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults
