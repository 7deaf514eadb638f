"""The Windows service itself, as pywin32 runs it; imported on Windows only.

The service manager starts pywin32's own program with this class; the configuration's path is an
option of the service in the registry. A service has no standard streams: the log goes into
``LOG_NAME`` beside the configuration, and when the service starts one that grew beyond
``LOG_BYTES`` is put aside, in place of the one before.

Failure: a bridge that cannot start says why in that file, and the service counts as failed.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import win32service
import win32serviceutil

from bridge.cli.told import ToldFromAfar, serve_as_service

NAME = "pec-bridge"
TITLE = "PEC bridge"
OPTION = "config"
LOG_NAME = "pec-bridge-service.log"
LOG_BYTES = 10 * 1024**2


class BridgeService(win32serviceutil.ServiceFramework):
    """What the service manager starts and stops."""

    _svc_name_ = NAME
    _svc_display_name_ = TITLE
    _svc_description_ = "SMTP and IMAP in front of PEC Massiva"

    def __init__(self, args: list[str]) -> None:
        super().__init__(args)
        self._told = ToldFromAfar()

    def SvcStop(self) -> None:
        """Begin the end, and say how long it may take."""
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, waitHint=15_000)
        self._told.stop()

    def SvcShutdown(self) -> None:
        """Likewise when the machine ends; pywin32 asks to be told of it where this is there."""
        self.SvcStop()

    def SvcDoRun(self) -> None:
        """Serve until told to stop."""
        path = Path(str(win32serviceutil.GetServiceCustomOption(NAME, OPTION)))
        file = path.with_name(LOG_NAME)
        if file.exists() and file.stat().st_size > LOG_BYTES:
            file.replace(file.with_name(f"{LOG_NAME}.1"))
        with (
            file.open("a", encoding="utf-8", buffering=1) as stream,
            contextlib.redirect_stdout(stream),
            contextlib.redirect_stderr(stream),
        ):
            serve_as_service(path, self._told)


def install(config: str, user: str | None) -> None:
    """Install the service, to start with the machine.

    Args:
        config: the configuration's path.
        user: who runs it; None: LocalSystem.
    """
    win32serviceutil.InstallService(
        f"{__name__}.{BridgeService.__name__}",
        NAME,
        TITLE,
        startType=win32service.SERVICE_AUTO_START,
        userName=user,
        description=BridgeService._svc_description_,
    )
    win32serviceutil.SetServiceCustomOption(NAME, OPTION, config)


def remove() -> None:
    """Take the service away."""
    win32serviceutil.RemoveService(NAME)


def start() -> None:
    """Start it."""
    win32serviceutil.StartService(NAME)


def stop() -> None:
    """Stop it."""
    win32serviceutil.StopService(NAME)
