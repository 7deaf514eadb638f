"""What the service counted, beside what the bridge counted. Pure.

The service counts requests of the whole contract, whichever token, mailbox or program made them;
the bridge counts its own messages. So the two may differ, and each difference is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.api.token_schema import HostUsage

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
            f"The service does not count sends by themselves, only all {counts.total:,} requests "
            f"to {host}: they cannot be compared with {ours['messages']:,} messages."
        )
    if abs(counts.amount_eur - sends_eur) > NEAR_EUR:
        differences.append(
            f"The service took {counts.amount_eur:,.2f} EUR from the wallet; by [prices], before "
            f"VAT, it would be {sends_eur:,.2f} EUR."
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
            f"The service counted {more:,} more sends than the bridge made: other programs or "
            "tokens of this contract sent them, or it counts recipients."
        ]
    if more < 0:
        doubt = ""
        if ours["uncertain"]:
            doubt = f" {ours['uncertain']:,} recipients are of uncertain sends that may never "
            doubt += "have left."
        return [
            f"The service counted {-more:,} fewer sends than the bridge made: its figures may lag "
            f"behind, or the messages were sent by another contract.{doubt}"
        ]
    return []
