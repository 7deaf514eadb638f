"""Plays Windows' service manager: installs, starts, stops and removes the service of a process.

``python as_service.py CONFIG ENDING`` puts stand-ins of pywin32's modules in place, runs the
commands, and what they install as the system would: ``SvcDoRun``, and ENDING (``SvcStop``, or
``SvcShutdown`` as the machine ends) from another thread once the bridge answers. Prints what was
asked of the system as JSON. Shows that the service does what such a manager needs, not that Windows
behaves.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import threading
import time
import types
from pathlib import Path
from typing import Any

ASKED: list[Any] = []
OPTIONS: dict[tuple[str, str], str] = {}


class ServiceFramework:
    """As pywin32's, as far as the service uses it."""

    def __init__(self, args: list[str]) -> None:
        ASKED.append(["made", args])

    def ReportServiceStatus(self, status: int, waitHint: int = 0) -> None:
        """Note what the service says of itself."""
        ASKED.append(["status", status, waitHint])


def stand_in() -> None:
    util, service = types.ModuleType("win32serviceutil"), types.ModuleType("win32service")
    parts: dict[str, Any] = {
        "ServiceFramework": ServiceFramework,
        "InstallService": lambda *args, **more: ASKED.append(["install", *args, more]),
        "SetServiceCustomOption": lambda name, key, value: OPTIONS.update({(name, key): value}),
        "GetServiceCustomOption": lambda name, key: OPTIONS[name, key],
    }
    for name in ("StartService", "StopService", "RemoveService"):
        parts[name] = lambda service, name=name: ASKED.append([name, service])
    vars(util).update(parts)
    vars(service).update(SERVICE_AUTO_START=2, SERVICE_STOP_PENDING=3)
    sys.modules |= {"win32serviceutil": util, "win32service": service}


def command(*words: str) -> None:
    from bridge.cli.program import build

    build()(list(words), standalone_mode=False)


def end_once_it_answers(service: Any, data_dir: Path, ending: str) -> None:
    from bridge.operations.control import NotRunning, ask

    while True:
        try:
            status = asyncio.run(ask(data_dir, "status", {}))
        except NotRunning:
            time.sleep(0.05)
            continue
        ASKED.append(["running", status["running"]])
        getattr(service, ending)()
        return


def main(config: Path, ending: str) -> None:
    out = sys.stdout
    stand_in()
    command("service", "install", "--config", str(config))
    for word in ("start", "stop", "remove"):
        command("service", word)
    module, _, name = ASKED[0][1].rpartition(".")
    service = getattr(importlib.import_module(module), name)(["pec-bridge"])
    stopper = threading.Thread(
        target=end_once_it_answers, args=(service, config.parent / "data", ending), daemon=True
    )
    stopper.start()
    service.SvcDoRun()
    out.write(json.dumps(ASKED) + "\n")
    out.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
