"""Whether ``data_dir`` can be used, and by whom: else a sentence with what to do.

What is in it is readable by its owner alone, but whoever may write into the folder could put
another database there; so others may not. Root may work in a folder of somebody else's: what it
made there is given to the folder's owner in the end, whose bridge could not use it otherwise.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bridge.language import say

_ALWAYS = ("*S-1-5-18", "*S-1-5-32-544")
"""SYSTEM and Administrators, whatever they are called in the system's language."""

ICACLS_TIMEOUT_S = 60.0


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
    if sys.platform == "win32":
        close_to_others(data_dir)
        return
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DataFault(
            say(
                "Others may change what is in {data_dir} (mode {mode}), where the "
                "mail is. Run `chmod 700 {data_dir}`, then start again.",
                data_dir=data_dir,
                mode=f"{status.st_mode & 511:03o}",
            )
        )


def close_to_others(
    data_dir: Path,
    environment: Mapping[str, str] = os.environ,
    run: Callable[..., subprocess.CompletedProcess[bytes]] = subprocess.run,
) -> None:
    """On Windows: let the folder and all in it be used by this user, SYSTEM and administrators.

    ``icacls`` comes with Windows. Files have no modes there; what is made in the folder later
    inherits this. A service that runs as SYSTEM is called by the machine's name and a dollar sign,
    which ``icacls`` knows in a domain only.

    Args:
        data_dir: the folder.
        environment: tells the machine's name.
        run: runs the program.

    Raises:
        DataFault: it could not be done.
    """
    user = getpass.getuser()
    is_system = user.casefold() == f"{environment.get('COMPUTERNAME', '')}$".casefold()
    allowed = _ALWAYS if is_system else (user, *_ALWAYS)
    grants = [f"{one}:(OI)(CI)F" for one in allowed]
    words = ["icacls", str(data_dir), "/inheritance:r", "/grant:r", *grants, "/q"]
    try:
        run(words, check=True, capture_output=True, timeout=ICACLS_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as error:
        raise DataFault(
            say(
                "{data_dir} cannot be closed to other users (icacls: {error}). Give "
                "its access to this user, SYSTEM and Administrators alone, then start "
                "again.",
                data_dir=data_dir,
                error=error,
            )
        ) from None


def cannot_use(data_dir: Path, error: OSError) -> DataFault:
    """Return what it means that something in ``data_dir`` cannot be made or written."""
    match error.errno:
        case errno.EROFS:
            return DataFault(
                say(
                    "{data_dir} is on a file system that can only be read, so nothing can "
                    "be kept. See why it is (a fault of the disk makes it so), mount it "
                    "writable, start again.",
                    data_dir=data_dir,
                )
            )
        case errno.EACCES | errno.EPERM:
            return DataFault(
                say(
                    "{data_dir} may not be used by {user}: it belongs to {owner}. Run "
                    "this as its owner, or give the folder and all in it to this user "
                    "(chown -R).",
                    data_dir=data_dir,
                    user=_user(),
                    owner=_owner(data_dir),
                )
            )
        case errno.ENOSPC | errno.EDQUOT:
            return DataFault(
                say(
                    "The disk of {data_dir} is full. Make room, then start again.",
                    data_dir=data_dir,
                )
            )
        case _:
            named = error.filename or data_dir
            return DataFault(
                say(
                    "{named} cannot be used: {strerror}.",
                    named=named,
                    strerror=error.strerror or error,
                )
            )


def belong_to_folder(data_dir: Path) -> None:
    """Give what root made in the folder to the folder's owner. Best effort."""
    if sys.platform == "win32":
        return
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        owner = data_dir.stat()
        for path in data_dir.iterdir():
            with contextlib.suppress(OSError):
                if path.lstat().st_uid != owner.st_uid:
                    os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _user() -> str:
    if sys.platform == "win32":
        return say("this user")
    return _name(os.geteuid())


def _owner(path: Path) -> str:
    """Return who owns a folder, or the nearest above it that can be seen."""
    if sys.platform == "win32":
        return say("somebody else")
    for one in (path, *path.parents):
        with contextlib.suppress(OSError):
            return _name(one.stat().st_uid)
    return say("somebody else")


def _name(number: int) -> str:
    if sys.platform != "win32":
        import pwd

        with contextlib.suppress(KeyError):
            return pwd.getpwuid(number).pw_name
    return f"user {number}"
