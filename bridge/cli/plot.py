"""Figures drawn with the terminal's own characters, as wide as the terminal, without colours."""

from __future__ import annotations

from collections.abc import Sequence

HEIGHT_LINES = 16
MOST_LABELS = 12

SERIES = (("delivered", "█"), ("failed", "▒"), ("other", "░"))


def bars(labels: Sequence[str], stacks: Sequence[Sequence[int]], width_chars: int) -> str:
    """Return stacked bars, one for each label, with what each shade is.

    Args:
        labels: what stands under the bars; of many only some are shown.
        stacks: for each of ``SERIES`` the heights, in the order of ``labels``.
        width_chars: how wide the picture is.
    """
    import plotext  # type: ignore[import-untyped] # has no types

    figure = plotext.figure
    figure.clear()
    figure.plot_size(width_chars, HEIGHT_LINES)
    figure.theme("clear")
    places = list(range(1, len(labels) + 1))
    figure.draw(
        figure.bar(
            places, [list(one) for one in stacks], stacked=True, marker=[mark for _, mark in SERIES]
        )
    )
    every = -(-len(labels) // MOST_LABELS)
    figure.ruler(0).ticks(places[::every], list(labels[::every]))
    drawn = plotext.uncolorize(str(figure.build()))
    key = "  ".join(f"{mark} {name}" for name, mark in SERIES)
    lines = [line.rstrip() for line in drawn.splitlines()]
    return "\n".join([*lines, f"recipients: {key}"])
