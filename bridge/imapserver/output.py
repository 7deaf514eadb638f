"""What a session needs of the outside: where responses go, and what NOTIFY started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class StandingOrder(Protocol):
    """What NOTIFY started, as the session needs it; see ``imapserver.notifier``."""

    def stop(self) -> None:
        """Tell nothing more."""

    def selected_anew(self) -> None:
        """Note that another mailbox was opened."""

    async def quiet(self) -> None:
        """Wait until nothing is being told."""

    def wake(self) -> None:
        """Tell what waits, if it may be told now."""


class Output(Protocol):
    """Where a session's responses go, and what it may ask of its connection."""

    def write(self, data: bytes) -> None:
        """Send bytes, in order."""

    def write_all(self, pieces: Sequence[bytes]) -> None:
        """Send pieces of whole responses, in order, with no copy made of them where that can be."""

    async def drain(self) -> None:
        """Let others run, and wait until the client has taken most of what was sent.

        Raises:
            ConnectionError: the client is gone.
        """

    async def give_way(self) -> None:
        """Do as ``drain`` in the middle of long work, of which each client has a piece in turn.

        Raises:
            ConnectionError: the client is gone.
        """

    async def read_line(self) -> bytes:
        """Return the next bare line of the client (SASL, DONE).

        Raises:
            ConnectionError: the client is gone.
            ImapFault: the line is too long.
        """

    def hang_up(self, why: str) -> None:
        """Say BYE and end the connection."""

    def start_tls(self) -> None:
        """Put TLS under the connection once the reply under way is sent."""

    def compress(self) -> None:
        """Compress both ways once the reply under way is sent."""

    @property
    def backed_up(self) -> bool:
        """Whether the client takes less than it was sent, so that more should wait."""

    @property
    def secure(self) -> bool:
        """Whether nobody else can listen: TLS, or the same machine."""

    @property
    def can_start_tls(self) -> bool:
        """Whether STARTTLS may be given now."""

    @property
    def can_compress(self) -> bool:
        """Whether COMPRESS may be given now."""
