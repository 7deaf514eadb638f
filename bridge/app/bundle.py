"""A report for strangers: made of values that cannot be anybody's, not of texts made clean.

What goes in is listed here, one by one: verdicts and their codes (words of this program), settings
that are numbers, choices or yes and no, counts, versions. No name, address, path, subject, text of
the API or line of a log has a way in, so that nothing has to be found and taken out.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import sys
import typing
import zipfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any, BinaryIO, Literal

from bridge import __version__
from bridge.config import Config
from bridge.net.address import is_loopback
from bridge.operations.finding import CheckFinding

KINDS = (
    "configuration's mode",
    "configuration",
    "bridge",
    "file modes",
    "TLS key",
    "data's folder",
    "certificate",
    "IMAP port",
    "SMTP port",
    "page",
    "store",
    "disk",
    "name of the",
    "proxy",
    "TLS of the API",
    "API and clock",
    "token",
    "mailbox",
    "failed logins",
    "trace",
    "webhook",
    "alarms by",
    "logins",
    "IMAP connections",
    "SMTP connections",
    "HTTP connections",
    "IMAP login",
    "SMTP login",
)
PACKAGES = ("aiosmtpd", "cryptography", "httpx", "pydantic", "structlog", "typer", "uvloop")


def write_bundle(
    stream: BinaryIO, findings: Iterable[CheckFinding], config: Config | None, status: Any
) -> None:
    """Write the report as a ZIP file.

    Args:
        stream: where to.
        findings: what was found.
        config: the settings, None if they have faults.
        status: the running bridge's, None if none runs.
    """
    pages: dict[str, Any] = {
        "findings.json": [_finding(one) for one in findings],
        "versions.json": _versions(),
    }
    if config is not None:
        pages["settings.json"] = plain_settings(config)
    if status is not None:
        pages["status.json"] = _status(status)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, page in pages.items():
            archive.writestr(name, json.dumps(page, indent=2) + "\n")


def _finding(one: CheckFinding) -> dict[str, str]:
    """Return what of a finding is nobody's; of its name the part that this program chose."""
    kind = next((kind for kind in KINDS if one.check.startswith(kind)), "other")
    return {"check": kind, "verdict": one.verdict, "code": one.code}


def plain_settings(settings: Any) -> dict[str, Any]:
    """Return the settings that are numbers, choices or yes and no; of lists how long they are."""
    found: dict[str, Any] = {}
    hints = typing.get_type_hints(type(settings), include_extras=False)
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            found[field.name] = plain_settings(value)
        elif (
            isinstance(value, bool | int | float) or typing.get_origin(hints[field.name]) is Literal
        ):
            found[field.name] = value
        elif isinstance(value, tuple):
            found[field.name] = {"count": len(value)}
        else:
            found[field.name] = "not set" if value in (None, "") else "set"
    return found


def _status(status: Mapping[str, Any]) -> dict[str, Any]:
    kinds = [str(alarm["kind"]) for alarm in status["alarms"]]
    return {
        "running_since": status["since"],
        "listeners": [
            {
                "protocol": one["protocol"],
                "tls": one["tls"],
                "loopback": is_loopback(str(one["host"])),
            }
            for one in status["listeners"]
        ],
        "accounts": len(status["accounts"]),
        "refused": sum(bool(one["refused"]) for one in status["accounts"]),
        "with_errors": sum(bool(one["error"]) for one in status["accounts"]),
        "queue": {state: int(count) for state, count in status["queue"].items()},
        "traces": len(status.get("traces", ())),
        "alarms": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
    }


def _versions() -> dict[str, str]:
    found = {
        "pec-bridge": __version__,
        "python": platform.python_version(),
        "system": f"{sys.platform} {platform.machine()}",
    }
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found
