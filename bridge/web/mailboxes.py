"""Mailboxes and tokens: until when they last, as the service told when it was last asked."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from bridge.web.page import Look, PageRoutes


def routes(pages: PageRoutes) -> list[BaseRoute]:
    """Return its routes."""
    return [pages.member("/mailboxes", _show)]


async def _show(look: Look) -> Response:
    found = await look.services.do("expiry list")
    mine = [one for one in found["mailboxes"] if look.me.may_see(one["address"])]
    shown = look.me.is_administrator
    return look.render(
        "mailboxes.html",
        looked_at=found["looked_at"],
        mailboxes=mine,
        tokens=found["tokens"] if shown else [],
        credit_eur=found["credit_eur"] if shown else None,
        reasons=found["reasons"] if shown else [],
        shows_tokens=shown,
    )
