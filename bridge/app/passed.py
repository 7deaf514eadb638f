"""The service manager's sockets in place of those that the settings ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.config import Config
from bridge.net.manager import Passed


def listening_on(config: Config, passed: Sequence[Passed]) -> Config:
    """Return the settings with a protocol's passed sockets instead of its ``listen``.

    A protocol for which none was passed listens where the settings say.
    """
    imap = tuple(one.listen for one in passed if one.protocol == "imap")
    smtp = tuple(one.listen for one in passed if one.protocol == "smtp")
    if imap:
        config = replace(config, imap=replace(config.imap, listen=imap))
    if smtp:
        config = replace(config, smtp=replace(config.smtp, listen=smtp))
    return config
