"""Whether ``data_dir`` can be used, and by whom: else a sentence with what to do.

What is in it is readable by its owner alone, but whoever may write into the folder could put
another database there; so others may not. Root may work in a folder of somebody else's: what it
made there is given to the folder's owner in the end, whose bridge could not use it otherwise.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path


class DataFault(Exception):
    """``data_dir`` cannot be used; the text says why and what to do."""


def make_folder(data_dir: Path) -> None:
    """Make the folder where it is missing, 0700, and see that others may not change it.

    Raises:
        DataFault: it cannot be made, or others may write into it.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = data_dir.stat()
    except OSError as error:
        raise cannot_use(data_dir, error) from error
    if sys.platform != "win32" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DataFault(
            f"Others may change what is in {data_dir} (mode {status.st_mode & 0o777:03o}), where "
            f"the mail is. Run `chmod 700 {data_dir}`, then start again."
        )


def cannot_use(data_dir: Path, error: OSError) -> DataFault:
    """Return what it means that something in ``data_dir`` cannot be made or written."""
    match error.errno:
        case errno.EROFS:
            return DataFault(
                f"{data_dir} is on a file system that can only be read, so nothing can be kept. "
                "See why it is (a fault of the disk makes it so), mount it writable, start again."
            )
        case errno.EACCES | errno.EPERM:
            return DataFault(
                f"{data_dir} may not be used by {_user()}: it belongs to {_owner(data_dir)}. Run "
                "this as its owner, or give the folder and all in it to this user (chown -R)."
            )
        case errno.ENOSPC | errno.EDQUOT:
            return DataFault(f"The disk of {data_dir} is full. Make room, then start again.")
        case _:
            named = error.filename or data_dir
            return DataFault(f"{named} cannot be used: {error.strerror or error}.")


def belong_to_folder(data_dir: Path) -> None:
    """Give what root made in the folder to the folder's owner. Best effort."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        owner = data_dir.stat()
        for path in data_dir.iterdir():
            with contextlib.suppress(OSError):
                if path.lstat().st_uid != owner.st_uid:
                    os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _user() -> str:
    return "this user" if sys.platform == "win32" else _name(os.geteuid())


def _owner(path: Path) -> str:
    """Return who owns a folder, or the nearest above it that can be seen."""
    if sys.platform == "win32":
        return "somebody else"
    for one in (path, *path.parents):
        with contextlib.suppress(OSError):
            return _name(one.stat().st_uid)
    return "somebody else"


def _name(number: int) -> str:
    if sys.platform != "win32":
        import pwd

        with contextlib.suppress(KeyError):
            return pwd.getpwuid(number).pw_name
    return f"user {number}"
