"""``drain``: the running bridge takes no more, sends what may leave, and ends."""

from __future__ import annotations

import sys

from bridge.cli import option
from bridge.cli.output import print_json
from bridge.cli.perform import perform_running


def drain(config: option.Config = None, as_json: option.Json = False) -> None:
    """Let the running bridge accept no more messages, send what may leave, and end.

    Mail programs go on reading until then. What waits for its next try, the plan, the window or a
    person stays in the queue for the next start. Ctrl-C ends this command, not the draining.
    """
    done = perform_running(config, "drain")
    if as_json:
        print_json(done)
        return
    left = done["left"]
    stays = f"{left} wait in the queue; `pec-bridge queue list` says why" if left else "it is empty"
    sys.stdout.write(f"The bridge has drained its queue and ends: {stays}.\n")
