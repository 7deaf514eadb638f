"""Settings with all that they point to, or every fault of both at once.

A secret or a certificate that is missing is as much a fault of the configuration as a misspelt
key, and whoever mends one wants to hear of the others in the same round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bridge.api.way import authorities_fault
from bridge.app.certificate import CertificateFault, given_identity
from bridge.cli.perform import settings
from bridge.config import ConfigError, ConfigFault, ConfigFile, Tls
from bridge.credentials import Secrets, missing, resolve_all


def whole_settings(path: Path | None) -> tuple[ConfigFile, Secrets]:
    """Read the configuration, its secrets and its certificate; blocks.

    Raises:
        ConfigError: with everything that is wrong with any of them.
    """
    try:
        file = settings(path)
    except ConfigError as error:
        rest = error.rest
        if rest is None:
            raise
        more = (*missing(rest), *_unusable(rest.pointers.tls, rest.where))
        raise ConfigError((*error.faults, *more)) from None
    unusable = (*_unusable(file.config.tls, file.where), *_untrusting(file))
    try:
        secrets = resolve_all(file)
    except ConfigError as error:
        raise ConfigError((*error.faults, *unusable)) from None
    if unusable:
        raise ConfigError(unusable)
    return file, secrets


def _untrusting(file: ConfigFile) -> Iterator[ConfigFault]:
    """Yield what is wrong with the authorities for the API and for those who are told."""
    config = file.config
    places: list[tuple[Path | None, tuple[str | int, ...]]] = [(config.api.ca_file, ("api",))]
    if config.alarms.smtp is not None:
        places.append((config.alarms.smtp.ca_file, ("alarms", "smtp")))
    for index, receiver in enumerate(config.alarms.webhook):
        places.append((receiver.ca_file, ("alarms", "webhook", index)))
    for number, index, one in config.webhooks():
        above = () if number is None else ("account", number)
        places.append((one.ca_file, (*above, "webhook", index)))
    for path, key in places:
        if path is not None and (fault := authorities_fault(path)):
            yield ConfigFault(file.where(*key, "ca_file"), fault)


def _unusable(tls: Tls, where: Callable[..., str]) -> Iterator[ConfigFault]:
    """Yield what is wrong with a certificate that was given, and with its key."""
    if tls.certificate is None or tls.key is None:
        return
    try:
        given_identity(tls.certificate, tls.key)
    except CertificateFault as error:
        for one in error.faults:
            yield ConfigFault(where("tls", one.setting), one.sentence)
