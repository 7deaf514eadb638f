"""All that the page's server answers; loaded with its first request."""

from __future__ import annotations

import socket

from starlette.types import ASGIApp

from bridge.app.resources import Resources
from bridge.web.app import web_app
from bridge.web.contract.dispatch import Contract
from bridge.web.lag import LoopLag
from bridge.web.metrics import Monitoring, Sessions
from bridge.web.services import WebServices
from bridge.web.site import site


def site_app(
    resources: Resources, services: WebServices, lag: LoopLag, sessions: Sessions
) -> ASGIApp:
    """Return the page, the figures for monitoring and the contract for programs.

    Args:
        resources: what works on the data.
        services: what all of it works with.
        lag: of the loop.
        sessions: how many are connected by each protocol.
    """
    routes = [
        *site(services, lambda: resources.config, resources.certificate),
        *Monitoring(services, lag, sessions).routes(),
        *Contract(services, lambda: resources.config).routes(),
    ]
    names = (*resources.config.web.hosts, socket.gethostname())
    return web_app(routes, names, lambda: resources.config.display.language)
