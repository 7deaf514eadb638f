"""How the bridge speaks, from its settings and from where its page is."""

from __future__ import annotations

from bridge.config import Config
from bridge.language import Voice
from bridge.net.address import is_loopback
from bridge.net.listening import Listening


def voice_of(config: Config, listening: Listening) -> Voice:
    """Return how messages of the bridge's own are written.

    They link to the page where it is served: by the address that the settings give, else by the
    one that it listens on. One that only this machine reaches is of use to whoever sits at it.
    """
    found = listening.web_url
    page = "" if found is None else config.web.url or _known_by(found, config)
    return Voice(config.display.language, page.rstrip("/"), config.receipts.mark)


def _known_by(url: str, config: Config) -> str:
    """Return the page's address with a name that other machines know, if there is one.

    A listener of the network has no address of its own: the first of ``hosts`` stands for it.
    """
    web = config.web.listen
    if not web or not config.web.hosts or all(is_loopback(one.host) for one in web):
        return url
    scheme, _, rest = url.partition("://")
    port = rest.rstrip("/").rpartition(":")[2]
    return f"{scheme}://{config.web.hosts[0]}:{port}"
