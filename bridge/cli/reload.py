"""``reload``: the running bridge takes its changed configuration over."""

from __future__ import annotations

import sys

from bridge.cli import option
from bridge.cli.account_facts import AT_ITS_START, has_credentials
from bridge.cli.failure import tell
from bridge.cli.output import print_json, visible
from bridge.cli.perform import perform_running, settings
from bridge.language import say


def reload(config: option.Config = None, as_json: option.Json = False) -> None:
    """Let the running bridge take its configuration over: accounts, secrets, certificate, limits.

    No connection is dropped but those of accounts that are gone or whose password has changed. A
    fault changes nothing. What needs a restart is named.
    """
    told: set[int] = set()

    def progress(ended: int, all_at_first: int) -> None:
        left = all_at_first - ended
        if left not in told:
            told.add(left)
            tell(say("Waiting for requests to the API to end: {left}", left=left))

    done = perform_running(config, "reload", progress=progress)
    if as_json:
        print_json(done)
        return
    for one in done["changed"]:
        sys.stdout.write(f"taken over: {visible(one)}\n")
    for one in done["needs_restart"]:
        tell(say("Needs a restart: {one}", one=visible(one)))
    if not done["changed"] and not done["needs_restart"]:
        sys.stdout.write("Nothing has changed.\n")
    if has_credentials(settings(config).config):
        tell(
            say(
                "Not looked at anew are secrets by `credential`: {at_its_start}",
                at_its_start=AT_ITS_START,
            )
        )
