"""The service manager that started us, if there is one: what it is told, what it hands over.

systemd's protocols, which others speak too: ``NOTIFY_SOCKET`` (sd_notify), ``WATCHDOG_USEC`` and
``LISTEN_FDS`` (sd_listen_fds). Without a manager all of it does nothing.

Failure: telling never fails, for nobody who serves mail should end because a manager is deaf.
``CannotTake`` for sockets that cannot be used.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Literal

from bridge.language import say
from bridge.net.listen import Listen

FIRST_DESCRIPTOR = 3

_NAMES: dict[str, tuple[Literal["imap", "smtp"], bool]] = {
    "imap": ("imap", False),
    "imaps": ("imap", True),
    "smtp": ("smtp", False),
    "smtps": ("smtp", True),
}
PORTS = {143: "imap", 993: "imaps", 587: "smtp", 465: "smtps"}


class CannotTake(Exception):
    """The manager handed over a socket that cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Passed:
    """An open socket of the manager's: what is spoken on it, and where it listens."""

    protocol: Literal["imap", "smtp"]
    listen: Listen


def notify(*assignments: str) -> None:
    """Tell the manager, in one message: ``notify("READY=1", "STATUS=…")``."""
    address = os.environ.get("NOTIFY_SOCKET")
    if sys.platform == "win32" or not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        sender.sendall("\n".join(assignments).encode())


def notify_reloading() -> None:
    """Tell the manager that the settings are being read anew; ``notify_ready`` ends that."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def notify_ready(status: str) -> None:
    """Tell the manager that everything is up (again), and in a sentence what there is."""
    notify("READY=1", f"STATUS={' '.join(status.split())}")


def notify_status(status: str) -> None:
    """Tell the manager in a sentence what there is."""
    notify(f"STATUS={' '.join(status.split())}")


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """Return within how many seconds the manager wants a sign of life; None if it wants none."""
    for_process = environment.get("WATCHDOG_PID", str(os.getpid()))
    text = environment.get("WATCHDOG_USEC", "")
    if for_process != str(os.getpid()) or not text.isdecimal() or not int(text):
        return None
    return int(text) / 1_000_000


def passed_sockets(environment: MutableMapping[str, str] = os.environ) -> tuple[Passed, ...]:
    """Take over the sockets that the manager handed to this process; the environment forgets them.

    A socket's name says what is spoken on it: ``imap``, ``imaps``, ``smtp`` or ``smtps``. Where it
    has another name its port does: 143, 993, 587 or 465.

    Raises:
        CannotTake: one is no listening TCP socket, or neither name nor port tells.
    """
    count, names, process = (
        environment.pop(name, "") for name in ("LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID")
    )
    if not count.isdecimal() or process != str(os.getpid()):
        return ()
    given = dict(enumerate(names.split(":")))
    return tuple(
        _passed(FIRST_DESCRIPTOR + number, given.get(number, "")) for number in range(int(count))
    )


def _passed(descriptor: int, name: str) -> Passed:
    try:
        os.set_inheritable(descriptor, False)
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise CannotTake(
                say(
                    "Descriptor {descriptor} ({name}) of LISTEN_FDS is no socket.",
                    descriptor=descriptor,
                    name=name,
                )
            )
    except OSError as error:
        raise CannotTake(
            say(
                "Descriptor {descriptor} of LISTEN_FDS: {strerror}.",
                descriptor=descriptor,
                strerror=error.strerror,
            )
        ) from None
    with _borrowed(descriptor) as one:
        listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        is_tcp = one.family in (socket.AF_INET, socket.AF_INET6) and one.type == socket.SOCK_STREAM
        if not is_tcp or not listens:
            raise CannotTake(
                say(
                    "The socket {name} that the service manager handed over is not one "
                    "that listens for TCP: give it as ListenStream= with a port.",
                    name=name,
                )
            )
        host, port = one.getsockname()[:2]
    spoken = name if name in _NAMES else PORTS.get(port)
    if spoken is None:
        raise CannotTake(
            say(
                "The service manager handed over a socket called {name} on port "
                "{port}, which does not say what is spoken there: set "
                "FileDescriptorName= to imap, imaps, smtp or smtps.",
                name=repr(name),
                port=port,
            )
        )
    protocol, implicit_tls = _NAMES[spoken]
    return Passed(protocol, Listen(host, port, implicit_tls, descriptor))


@contextlib.contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket]:
    one = socket.socket(fileno=descriptor)
    try:
        yield one
    finally:
        one.detach()
