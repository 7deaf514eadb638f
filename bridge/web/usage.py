"""Usage: what was sent in a month or a year, as a chart, as figures and as CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from bridge.operations.figures import TOLD, stacks
from bridge.outbox.plan import rome_day
from bridge.web.evidence import attachment
from bridge.web.page import Look, PageRoutes

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would carry out at the beginning of a cell."""

CHART_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A chart is an image: no script runs in it, and its style is its own."""

INKS = {
    "light": ("#ffffff", "#1b1f24", "#57606a", ("#1a7f37", "#c1272d", "#6e7781")),
    "dark": ("#1d2127", "#e6e9ee", "#a3adb8", ("#57ab6b", "#e5696d", "#8b949e")),
}


def routes(pages: PageRoutes) -> list[BaseRoute]:
    """Return its routes."""
    return [
        pages.member("/usage", _show),
        pages.member("/usage/chart.svg", _chart),
        pages.member("/usage/figures.csv", _figures),
    ]


async def _asked(look: Look) -> dict[str, Any]:
    period = {name: look.asked(name) for name in ("month", "year") if look.asked(name)}
    arguments = {**period, **({"account": look.asked("account")} if look.asked("account") else {})}
    found: dict[str, Any] = await look.services.do("usage", look.mine(arguments))
    return found


async def _show(look: Look) -> Response:
    found = await _asked(look)
    first = date.fromisoformat(found["from"])
    by_year = len(found["period"]) == len("2026")
    return look.render(
        "usage.html",
        found=found,
        by_year=by_year,
        year=str(first.year),
        month=f"{first:%Y-%m}" if not by_year else f"{rome_day(look.services.clock.now()):%Y-%m}",
        before=_moved(first, by_year, -1),
        after=_moved(first, by_year, 1),
        accounts=await look.accounts(),
        account=look.asked("account"),
    )


def _moved(first: date, by_year: bool, by: int) -> dict[str, str | None]:
    """Return the parameters of the period before or after."""
    if by_year:
        return {"year": f"{first.year + by:04d}", "month": None}
    months = first.year * 12 + first.month - 1 + by
    return {"month": f"{months // 12:04d}-{months % 12 + 1:02d}", "year": None}


async def _chart(look: Look) -> Response:
    found = await _asked(look)
    ink = "dark" if look.asked("ink") == "dark" else "light"
    names = [look.translate(one) for one in (_("Delivered"), _("Not delivered"), _("Others"))]
    svg = await asyncio.to_thread(drawn, found, names, ink)
    return Response(
        svg, media_type="image/svg+xml", headers={"Content-Security-Policy": CHART_POLICY}
    )


def drawn(found: Mapping[str, Any], names: Sequence[str], ink: str) -> bytes:
    """Return a chart as SVG.

    Args:
        found: what ``usage`` returns.
        names: what delivered, failed and other recipients are called.
        ink: ``light`` or ``dark``.
    """
    pygal, style_of = _pygal()
    back, text, faint, colors = INKS[ink]
    style = style_of(
        background=back,
        plot_background=back,
        foreground=text,
        foreground_strong=text,
        foreground_subtle=faint,
        colors=colors,
        font_family="sans-serif",
        label_font_size=14,
        legend_font_size=16,
        major_label_font_size=14,
        transition="none",
    )
    chart = pygal.StackedBar(
        style=style,
        js=[],
        width=960,
        height=360,
        legend_at_bottom=True,
        margin=10,
        show_minor_x_labels=True,
        disable_xml_declaration=False,
        print_values=False,
    )
    labels, heights = stacks(found["from"], found["to"], found["by"], found["rows"])
    chart.x_labels = labels
    for name, values in zip(names, heights, strict=True):
        chart.add(name, values)
    root = chart.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            if str(child.tag).rpartition("}")[2] == "script":
                parent.remove(child)
    svg: bytes = ElementTree.tostring(root, encoding="utf-8")
    return svg


@cache
def _pygal() -> tuple[Any, Any]:
    """Load the charts for the first who looks at one.

    pygal leaves a finder for plugins of its own among the importers, of a kind that Python warns
    of at each later import; it is taken away again.
    """
    before = list(sys.meta_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)
        import pygal
        from pygal.style import Style
    sys.meta_path[:] = before
    return pygal, Style


async def _figures(look: Look) -> Response:
    found = await _asked(look)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("date", "account", *TOLD))
    for row in found["rows"]:
        writer.writerow((_plain(row["date"]), _plain(row["account"]), *(row[one] for one in TOLD)))
    return Response(
        out.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": attachment(f"pec-usage-{found['period']}.csv")},
    )


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _(text: str) -> str:
    """Mark a text for the catalogues."""
    return text
