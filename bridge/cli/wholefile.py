"""A file written whole or not at all: 0600, under another name until it is on the medium.

``WholeFile`` is opened before the work begins, so that a folder that cannot be written to is found
out first, and puts the file in place at the end. On any other way out nothing is left behind, and
a file that was there still is. What exists is not overwritten unless that is asked for, not even
if it came to exist meanwhile.

Failure: ``OSError``; ``FileExistsError`` for what is there already.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from bridge.language import say


class WholeFile:
    """A file to be; a context manager that gives its stream, which can be read and sought.

    Attributes:
        stream: what is written to.
        unfinished: the file behind it, for whoever writes by name.

    Raises:
        FileExistsError: there is one, and ``overwrite`` is false.
        OSError: it cannot be written there.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self._path = path
        self._overwrite = overwrite
        if path.is_dir():
            raise IsADirectoryError(21, say("is a folder"), str(path))
        if not overwrite and os.path.lexists(path):
            raise FileExistsError(17, say("is there already; --force overwrites it"), str(path))
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        self.unfinished = Path(name)
        self.stream = cast(BinaryIO, os.fdopen(descriptor, "w+b"))

    def __enter__(self) -> WholeFile:
        return self

    def keep(self) -> None:
        """Put the file in place.

        Raises:
            OSError: it was not; what was there before still is.
        """
        self.stream.flush()
        os.fsync(self.stream.fileno())
        self.stream.close()
        if self._overwrite:
            self.unfinished.replace(self._path)
        else:
            self._place()
        with contextlib.suppress(OSError):  # not every system lets a folder be opened
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _place(self) -> None:
        """Give the file its name, which nobody else may have taken meanwhile."""
        try:
            os.link(self.unfinished, self._path)
        except FileExistsError:
            raise FileExistsError(
                17, say("is there already; --force overwrites it"), str(self._path)
            ) from None
        except OSError:  # no hard links here
            if os.path.lexists(self._path):
                raise
            self.unfinished.rename(self._path)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stream.close()
        self.unfinished.unlink(missing_ok=True)


def give(content: bytes, output: Path | None, *, overwrite: bool) -> None:
    """Write what a command was asked for to a file, or to standard output if there is no name.

    Raises:
        FileExistsError, OSError: see ``WholeFile``.
    """
    if output is not None:
        with WholeFile(output, overwrite=overwrite) as file:
            file.stream.write(content)
            file.keep()
    elif hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(content.decode("latin-1"))
