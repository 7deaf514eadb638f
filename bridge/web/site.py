"""All pages, as routes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.routing import BaseRoute

from bridge.config import Config
from bridge.web import archive, home, mailboxes, receipt, sent, static, tour, usage
from bridge.web.discovery import Discovery
from bridge.web.entrance import Entrance
from bridge.web.evidence import Evidence
from bridge.web.page import PageRoutes
from bridge.web.services import WebServices
from bridge.web.setup import Setup


def site(services: WebServices, config: Callable[[], Config], certificate: Path) -> list[BaseRoute]:
    """Return the routes of every page.

    Args:
        services: what they work with.
        config: gives the settings, for exports.
        certificate: the file of the servers' certificate.
    """
    pages = PageRoutes(services)
    return [
        static.ROUTE,
        *Entrance(pages).routes(),
        *home.routes(pages),
        *Evidence(pages, config).routes(),
        *sent.routes(pages),
        *receipt.routes(pages),
        *usage.routes(pages),
        *archive.routes(pages),
        *tour.routes(pages),
        *mailboxes.routes(pages),
        *Setup(pages, certificate).routes(),
        *Discovery(services).routes(),
    ]
