"""Which permissions a token needs, from the configuration: those and no others. Pure.

A permission is ``METHOD:host/first-segment``; the hosts are those that the configuration names,
so that a sandbox gets the sandbox's.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from bridge.config import Config

_ALWAYS = ("POST:send", "GET:send", "GET:inbox", "GET:quota")
_DELETE_INBOX = "DELETE:inbox"
_DELETE_RECEIPTS = "DELETE:send"
_DOMAINS = "GET:domini_pec"
_ADMIN = (_DOMAINS, "GET:verifica_pec", "GET:pec", "POST:pec", "PATCH:pec")
_REVOKE = "DELETE:pec"


def for_sending(config: Config, *, delete_receipts: bool = False) -> tuple[str, ...]:
    """Return what sending and reading need; deleting only where the settings delete."""
    wanted = list(_ALWAYS)
    if config.sync.delete != "never":
        wanted.append(_DELETE_INBOX)
    if delete_receipts:
        wanted.append(_DELETE_RECEIPTS)
    scopes = tuple(_at(config.api.base_url, one) for one in wanted)
    if config.send.check_domains == "warn" and config.api.admin_token is None:
        scopes += (_at(config.api.admin_url, _DOMAINS),)
    return scopes


def for_mailboxes(config: Config, *, revoke: bool = False) -> tuple[str, ...]:
    """Return what the ``mailbox`` commands need; GET of pec renews, too, and costs money then."""
    wanted = (*_ADMIN, _REVOKE) if revoke else _ADMIN
    return tuple(_at(config.api.admin_url, one) for one in wanted)


def _at(url: str, permission: str) -> str:
    method, _, segment = permission.partition(":")
    return f"{method}:{urlsplit(url).hostname}/{segment}"
