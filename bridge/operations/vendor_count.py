"""What the service counted, beside what the bridge counted. Pure.

The service counts requests of the whole contract, whichever token, mailbox or program made them;
the bridge counts its own messages. So the two may differ, and each difference is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.api.token_schema import HostUsage
from bridge.language import say

SEND = re.compile(r"POST:[^/]+/send")
"""The scope of sends, whatever the host is called: the stand-in for tests has another name."""
NEAR_EUR = 0.005


def unasked(reason: str) -> dict[str, Any]:
    """Return why the service's figures are not there."""
    return {"asked": False, "why": reason}


def compared(
    ours: Mapping[str, int], sends_eur: float, usage: HostUsage, host: str
) -> dict[str, Any]:
    """Return the service's figures and how they differ.

    Args:
        ours: the totals of all accounts (``figures.totals_of``).
        sends_eur: what these sends cost by the prices, before VAT.
        usage: what the service counted.
        host: the host that sends.
    """
    counts = next((one for name, one in usage.scopes.items() if SEND.fullmatch(name)), None)
    whole = counts is None
    counts = counts or usage.whole
    succeeded = counts.total - counts.failed
    differences = [] if whole else _of_sends(succeeded, ours)
    if whole:
        differences.append(
            say(
                "The service does not count sends by themselves, only all {total} "
                "requests to {host}: they cannot be compared with {messages} messages.",
                total=f"{counts.total:,}",
                host=host,
                messages=f"{ours['messages']:,}",
            )
        )
    if abs(counts.amount_eur - sends_eur) > NEAR_EUR:
        differences.append(
            say(
                "The service took {taken} EUR from the wallet; by [prices], "
                "before VAT, it would be {expected} EUR.",
                taken=f"{counts.amount_eur:,.2f}",
                expected=f"{sends_eur:,.2f}",
            )
        )
    return {
        "asked": True,
        "requests": counts.total,
        "failed": counts.failed,
        "from_wallet": counts.from_wallet,
        "from_subscription": counts.from_subscription,
        "amount_eur": counts.amount_eur,
        "differences": differences,
    }


def _of_sends(succeeded: int, ours: Mapping[str, int]) -> list[str]:
    more = succeeded - ours["messages"]
    if more > 0:
        return [
            say(
                "The service counted {more} more sends than the bridge made: other programs or "
                "tokens of this contract sent them, or it counts recipients.",
                more=f"{more:,}",
            )
        ]
    if more < 0:
        doubt = say(
            " {count} recipients are of uncertain sends that may never have left.",
            count=f"{ours['uncertain']:,}",
        )
        return [
            say(
                "The service counted {fewer} fewer sends than the bridge made: its figures may lag "
                "behind, or the messages were sent by another contract.{doubt}",
                fewer=f"{-more:,}",
                doubt=doubt if ours["uncertain"] else "",
            )
        ]
    return []
