"""A demo's tour: what there is to see, and a button that moves the clock on by hours.

Only where the bridge goes by a clock that can be moved; elsewhere there is no such page.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from bridge.clock import MovableClock
from bridge.web.page import Look, PageNotFound, PageRoutes


def _(text: str) -> str:
    """Mark a text for the catalogues."""
    return text


STEPS: Mapping[str, str] = {
    "30": _("half an hour: a missing acceptance is an alarm"),
    "720": _("12 hours: the first notice of a delivery that does not come"),
    "1440": _("24 hours: the final notice"),
}
"""Minutes that the clock can be moved on by, and what is seen then."""

RECIPIENTS: Mapping[str, str] = {
    "ufficio": _("accepted and delivered"),
    "fail-ufficio": _("accepted, not delivered"),
    "late-ufficio": _("not delivered within 12 hours, nor within 24"),
    "slow-ufficio": _("not delivered within 12 hours, but then"),
    "ordinary-ufficio": _("an ordinary mailbox: no delivery receipt"),
    "nonaccept-ufficio": _("refused by the provider after it was sent"),
    "http-422-ufficio": _("refused by the service, nothing is sent"),
    "http-503-ufficio": _("uncertain: it may have been sent"),
    "lost-ufficio": _("uncertain, until its acceptance is found"),
}
"""What becomes of a message to such a local part, at any domain."""


def routes(pages: PageRoutes) -> list[BaseRoute]:
    """Return its routes."""

    async def move(look: Look) -> Response:
        minutes = look.form.get("minutes", "")
        clock = _clock(look)
        if minutes not in STEPS:
            raise PageNotFound
        clock.move(timedelta(minutes=int(minutes)))
        response = RedirectResponse(f"/tour?moved={minutes}", 303)
        await pages.sessions.begin(look.request, response, look.me.account)  # it would have ended
        return response

    return [pages.member("/tour", _show), pages.member("/tour", move, methods=("POST",))]


def _clock(look: Look) -> MovableClock:
    clock = look.services.clock
    if not isinstance(clock, MovableClock):
        raise PageNotFound
    return clock


async def _show(look: Look) -> Response:
    return look.render(
        "tour.html",
        now=_clock(look).now(),
        moved=look.asked("moved") in STEPS,
        steps=STEPS,
        recipients=RECIPIENTS,
    )
