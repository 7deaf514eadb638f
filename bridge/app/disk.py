"""Whether the disk under ``data_dir`` has room: an alarm while there is still some to raise it in.

When none is left nothing is accepted any more (452), answers of the API cannot be written down, and
not even an alarm can. So it comes before, in each account, and ends by itself.

Failure: ``StoreFailed`` ends ``run``; who runs it begins again.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from bridge.alarms import AlarmKind, Notice
from bridge.app.everywhere import settle_everywhere
from bridge.clock import Clock
from bridge.mailbox import Mailboxes

LOOK_EVERY_S = 60.0
ENDS_AT = 1.5
"""The alarm ends with so much more room than it came at: not with every message that goes."""

MIB = 1024**2
LOW_BYTES = 256 * MIB
"""The largest message takes several times its size while it is under way."""

LOW_PART = 10
"""On a small disk a tenth of it is enough."""


class DiskSpace:
    """See the module.

    Args:
        mailboxes: the single writer.
        clock: time.
        data_dir: the folder.
        usage: gives the bytes that the disk of a folder has, and how many are left.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        clock: Clock,
        data_dir: Path,
        usage: Callable[[Path], tuple[int, int]] | None = None,
    ) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._data_dir = data_dir
        self._usage = usage or _usage
        self._is_low: bool | None = None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Raise the alarm, or end it, where that is new."""
        try:
            all_bytes, left_bytes = await asyncio.to_thread(self._usage, self._data_dir)
        except OSError:
            return  # nobody can tell; the store has its own word on a disk that fails
        limit_bytes = min(LOW_BYTES, all_bytes // LOW_PART) * (ENDS_AT if self._is_low else 1)
        is_low = left_bytes < limit_bytes
        if is_low is self._is_low:
            return
        words = disk_is_low(self._data_dir, left_bytes) if is_low else None
        await settle_everywhere(self._mailboxes, AlarmKind.DISK, words, self._clock.now())
        self._is_low = is_low


def _usage(folder: Path) -> tuple[int, int]:
    usage = shutil.disk_usage(folder)
    return usage.total, usage.free


def disk_is_low(data_dir: Path, left_bytes: int) -> Notice:
    """Say that the disk is about to be full."""
    left = f"{left_bytes // MIB} MiB"
    return Notice(
        f"Disco quasi pieno / Disk almost full: {left}",
        f"Sul disco di {data_dir} restano {left}. Quando è pieno il bridge non accetta più "
        "messaggi (452) e non riceve più; nulla di ciò che ha accettato va perso. Liberare spazio.",
        f"The disk of {data_dir} has {left} left. When it is full the bridge accepts no messages "
        "any more (452) and reads none; nothing that it has accepted is lost. Make room.",
    )
