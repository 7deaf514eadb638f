"""The way to a host: through which proxy, and which authorities vouch for it.

Only what the settings say. The environment's ``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE`` and
``SSL_CERT_DIR`` count only where they are asked for: whoever starts the bridge may have variables
that were meant for other programs, and the way decides who sees the token.

Requests to this machine itself need no proxy. To all others, which are https, a proxy passes bytes
on and sees neither token nor mail.
"""

from __future__ import annotations

import ssl
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bridge.language import say
from bridge.net.address import is_loopback


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """See the module.

    ``proxy`` is a URL, "" for none; ``proxy_login`` is "name:password". ``ca_file`` holds the
    authorities that are trusted in place of the public ones. ``trust_env`` lets the environment
    say what these do not.
    """

    proxy: str = ""
    proxy_login: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    trust_env: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown."""
        return () if self.proxy_login is None else (self.proxy_login.partition(":")[2],)

    def proxy_to(self, base_url: str) -> httpx.Proxy | None:
        """Return the proxy for a host, None for none."""
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        if is_loopback(host):
            return None
        if self.proxy:
            login = None
            if self.proxy_login is not None:
                name, _, password = self.proxy_login.partition(":")
                login = (name, password)
            return httpx.Proxy(self.proxy, auth=login)
        if self.trust_env and not urllib.request.proxy_bypass(host):
            found = urllib.request.getproxies_environment()
            url = found.get(parts.scheme) or found.get("all")
            return httpx.Proxy(url) if url else None
        return None

    def tls(self, base_url: str) -> ssl.SSLContext:
        """Return the context for a host; loading the authorities costs megabytes, so once.

        Raises:
            OSError: ``ca_file`` cannot be used.
        """
        if not base_url.startswith("https:"):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca_file is not None:
            return ssl.create_default_context(cafile=str(self.ca_file))
        return httpx.create_ssl_context(trust_env=self.trust_env)


def authorities_fault(path: Path) -> str | None:
    """Return what is wrong with a file of authorities, None for nothing; blocks."""
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        return say("{path} cannot be used: it holds no certificate in PEM form", path=path)
    except OSError as error:
        return say("{path} cannot be used: {strerror}", path=path, strerror=error.strerror or error)
    return None
