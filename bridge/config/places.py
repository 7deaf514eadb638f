"""Where settings and data usually are, by the customs of the system.

Linux and other Unix: ``$XDG_CONFIG_HOME`` and ``/etc``, ``/var/lib``. Windows: ``%APPDATA%`` and
``%PROGRAMDATA%``. macOS: ``~/Library`` and ``/Library``. The latter two as platformdirs has them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

NAME = "pec-bridge"
FILE_NAME = "config.toml"


def usual_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where the settings are looked for, a user's own first."""
    if sys.platform in ("win32", "darwin"):
        from platformdirs import PlatformDirs

        dirs = PlatformDirs(NAME, appauthor=False, roaming=True)
        folders = (dirs.user_config_path, dirs.site_config_path)
        return tuple(folder / FILE_NAME for folder in dict.fromkeys(folders))
    home = environment.get("XDG_CONFIG_HOME") or f"{environment.get('HOME', '~')}/.config"
    return Path(home, NAME, FILE_NAME), Path("/etc", NAME, FILE_NAME)


def usual_data_dir() -> Path:
    """Return where the data is if the settings do not say."""
    if sys.platform == "win32":
        from platformdirs import PlatformDirs

        return PlatformDirs(NAME, appauthor=False).site_data_path / "data"
    if sys.platform == "darwin":
        from platformdirs import PlatformDirs

        return PlatformDirs(NAME, appauthor=False).user_data_path / "data"
    return Path("/var/lib", NAME)
