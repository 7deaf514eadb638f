"""What ``check`` looks at on this machine: modes, certificate, ports, store, disk.

Failure: none; what cannot be looked at is a finding.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bridge.app.certificate_facts import certificate_facts
from bridge.app.database import DataPlace, looked_through
from bridge.clock import Clock
from bridge.config import Config, Listen
from bridge.credentials.source import open_to_others
from bridge.language import say
from bridge.operations.control import OperationFailed
from bridge.operations.finding import CheckFinding, failed, ok, skipped, warning
from bridge.store.base import StoreFailed

MIB = 1024**2
DISK_LOW_BYTES, DISK_FULL_BYTES = 1024 * MIB, 100 * MIB
CERTIFICATE_DAYS = 30


async def machine(
    config: Config, file: Path, clock: Clock, place: DataPlace, *, running: bool
) -> list[CheckFinding]:
    """Look at everything here.

    Args:
        config: the settings.
        file: where they were read.
        clock: time.
        place: where the data are.
        running: whether a bridge runs, which has the ports then.
    """
    found = await asyncio.to_thread(lambda: list(_modes(config, file)))
    found.append(await asyncio.to_thread(certificate, config, clock.now()))
    if not running:
        found += [await port(name, one) for name, one in _ports(config)]
    found.append(await asyncio.to_thread(store, place))
    found.append(await asyncio.to_thread(disk, config.data_dir))
    return found


def _modes(config: Config, file: Path) -> Iterator[CheckFinding]:
    if sys.platform == "win32":
        yield skipped("file modes", say("Windows has none"), "windows")
        return
    yield writable(file)
    if config.tls.key is not None:
        yield private("TLS key", config.tls.key)
    if config.data_dir.exists():
        yield folder(config.data_dir)


def writable(file: Path) -> CheckFinding:
    """Look whether others may change the configuration: it says which commands are run."""
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o022:
        return failed(
            "configuration's mode",
            say(
                "others may change {file} (mode {mode}), and so what the bridge runs and sends",
                file=file,
                mode=f"{mode:04o}",
            ),
            say("chmod go-w {file}", file=shlex.quote(str(file))),
            "writable",
        )
    return ok(
        "configuration's mode",
        say("{file} is its owner's to change (mode {mode})", file=file, mode=f"{mode:04o}"),
    )


def private(what: str, path: Path) -> CheckFinding:
    """Look whether others may read a key."""
    try:
        fault = open_to_others(path, path.stat())
    except OSError as error:
        return failed(
            what,
            say("{path}: {strerror}", path=path, strerror=error.strerror),
            say("put it there"),
            "unreadable",
        )
    if fault:
        return failed(
            what, fault, say("chmod 600 {path}", path=shlex.quote(str(path))), "open to others"
        )
    return ok(what, say("{path} is readable by its owner only", path=path))


def folder(data_dir: Path) -> CheckFinding:
    """Look whether others may get at the data."""
    status = data_dir.stat()
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        return failed(
            "data's folder",
            say(
                "others may look into {data_dir} (mode {mode}): all mail is there",
                data_dir=data_dir,
                mode=f"{mode:04o}",
            ),
            say("chmod 700 {data_dir}", data_dir=shlex.quote(str(data_dir))),
            "open to others",
        )
    if sys.platform != "win32" and os.geteuid() not in (0, status.st_uid):
        return failed(
            "data's folder",
            say(
                "{data_dir} belongs to another user (id {id})",
                data_dir=data_dir,
                id=status.st_uid,
            ),
            say("run this as that user, or as root"),
            "another owner",
        )
    return ok(
        "data's folder",
        say("{data_dir} is its owner's only (mode {mode})", data_dir=data_dir, mode=f"{mode:04o}"),
    )


def certificate(config: Config, now: datetime) -> CheckFinding:
    """Look at the certificate that mail programs are shown: its time, and its names."""
    what = "certificate"
    try:
        facts = certificate_facts(config)
    except OperationFailed as fault:
        if config.tls.certificate is None and "first starts" in str(fault):
            return skipped(what, fault.args[0], "not made yet")
        return failed(what, fault.args[0], say("check [tls] in the configuration"), "unusable")
    until = datetime.fromisoformat(facts["valid_until"])
    mend = say("renew it") if config.tls.certificate else say("`pec-bridge certificate renew`")
    evidence = say(
        "for {names}, until {until}", names=", ".join(facts["names"]), until=f"{until:%Y-%m-%d}"
    )
    if until < now:
        return failed(what, say("{evidence}: its time is over", evidence=evidence), mend, "expired")
    if until - now < timedelta(days=CERTIFICATE_DAYS):
        return warning(what, evidence, mend, "expires soon")
    if facts["not_named"]:
        names = ", ".join(facts["not_named"])
        return warning(
            what,
            say(
                "{evidence}; it lacks {names}, which is listened on", evidence=evidence, names=names
            ),
            mend,
            "lacks",
        )
    return ok(what, evidence)


def _ports(config: Config) -> Iterator[tuple[str, Listen]]:
    for protocol, every in (("IMAP", config.imap.listen), ("SMTP", config.smtp.listen)):
        for one in every:
            yield f"{protocol} port {one.host}:{one.port}", one


async def port(what: str, listen: Listen) -> CheckFinding:
    """Look whether a port can be opened."""
    try:
        server = await asyncio.get_running_loop().create_server(
            asyncio.Protocol, listen.host, listen.port, start_serving=False
        )
    except OSError as error:
        causes = {
            errno.EADDRINUSE: (
                say("another program uses it"),
                say("stop that program or take another port"),
            ),
            errno.EACCES: (
                say("a right is missing"),
                say("take a port above 1023, or systemd's unit"),
            ),
            errno.EADDRNOTAVAIL: (
                say("this machine has no such address"),
                say("correct [imap] or [smtp]"),
            ),
        }
        unknown = (error.strerror or say("it cannot be opened"), say("correct listen"))
        why, mend = causes.get(error.errno or 0, unknown)
        return failed(what, why, mend, errno.errorcode.get(error.errno or 0, "unknown"))
    server.close()
    return ok(what, say("free"))


def store(place: DataPlace) -> CheckFinding:
    """Look whether the database can be read; a file all of it, which takes a second a gigabyte."""
    what = "store"
    mend = say("stop the bridge, keep a copy of the folder, and put a backup back")
    if place.url is not None:
        mend = say("see whether the server runs, and whether [store] url names it")
    try:
        said = looked_through(place)
    except StoreFailed as fault:
        return failed(what, fault.args[0], mend, "damaged" if place.url is None else "unreachable")
    except OSError as error:
        return failed(
            what,
            say("{data_dir}: {strerror}", data_dir=place.name, strerror=error.strerror),
            say("run this as its user"),
            "unreadable",
        )
    return skipped(what, say("there is none yet"), "none") if said is None else ok(what, said)


def disk(data_dir: Path) -> CheckFinding:
    """Look how much room there is."""
    place = next(one for one in (data_dir, *data_dir.absolute().parents) if one.exists())
    free = shutil.disk_usage(place).free
    evidence = say("{free} MiB are free at {place}", free=f"{free / MIB:,.0f}", place=place)
    mend = say("make room, or shorten [archive] retention_days")
    if free < DISK_FULL_BYTES:
        return failed(
            "disk", say("{evidence}: submissions are put off", evidence=evidence), mend, "full"
        )
    return warning("disk", evidence, mend, "low") if free < DISK_LOW_BYTES else ok("disk", evidence)
