"""The way to the hosts, as the settings have it."""

from __future__ import annotations

from bridge.api.way import ApiRoute
from bridge.config import Api, ConfigError, ConfigFault, ConfigFile
from bridge.credentials import Secret, SecretFault, resolve


def way(api: Api, proxy_login: Secret | None) -> ApiRoute:
    """Return proxy and authorities; ``proxy_login`` is what the setting of that name points to."""
    login = None if proxy_login is None else proxy_login.reveal()
    return ApiRoute(api.proxy, login, api.ca_file, api.trust_env)


def way_of(file: ConfigFile) -> ApiRoute:
    """Return proxy and authorities of a configuration; blocks while the secret is found.

    Raises:
        ConfigError: it cannot be had.
    """
    api = file.config.api
    if api.proxy_login is None:
        return way(api, None)
    try:
        return way(api, resolve(api.proxy_login, folder=file.folder))
    except SecretFault as fault:
        raise ConfigError((ConfigFault(file.where("api", "proxy_login"), fault.args[0]),)) from None
