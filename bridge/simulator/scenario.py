"""What becomes of a message, read from the local part of each recipient.

``fail-anything@example.it`` is not delivered, ``late-…`` gets both time notices, and so on: the
table ``OUTCOMES`` is all there is. Everybody else gets a delivery receipt at once. A few local
parts trouble the API call itself, so that a demo can show it without ordering a fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bridge.simulator.fault import Failure, FixedAnswer
from bridge.simulator.options import Delays
from bridge.simulator.wording import NetworkKind


@dataclass(frozen=True, slots=True)
class ScriptedMessage:
    """One message about one recipient, after the sum of the named ``Delays``."""

    kind: NetworkKind
    after: tuple[str, ...]
    error: str = ""

    def delay_s(self, delays: Delays) -> float:
        """Return how long after acceptance of the request the step is due."""
        return sum(float(getattr(delays, name)) for name in self.after)


@dataclass(frozen=True, slots=True)
class RecipientScript:
    """What happens for one recipient.

    ``refusal`` ends the whole message with a notice instead of an acceptance; ``acceptance``
    False means that not even the acceptance comes.
    """

    meaning: str
    steps: tuple[ScriptedMessage, ...] = ()
    certified: bool = True
    refusal: ScriptedMessage | None = None
    acceptance: bool = True


_FIRST_NOTICE = ScriptedMessage(NetworkKind.FIRST_NOTICE, ("first_notice_s",))
_FINAL_NOTICE = ScriptedMessage(NetworkKind.FINAL_NOTICE, ("final_notice_s",))

DELIVERED = RecipientScript(
    "accepted and delivered", (ScriptedMessage(NetworkKind.DELIVERY, ("delivery_s",)),)
)
OUTCOMES: Mapping[str, RecipientScript] = MappingProxyType(
    {
        "fail": RecipientScript(
            "not delivered: no such mailbox",
            (
                ScriptedMessage(
                    NetworkKind.FAILURE, ("failure_s",), "5.1.1 - Simulatore - indirizzo non valido"
                ),
            ),
        ),
        "virus": RecipientScript(
            "not accepted: a virus was found at submission",
            refusal=ScriptedMessage(
                NetworkKind.NON_ACCEPTANCE_VIRUS,
                ("acceptance_s",),
                "rilevazione di virus informatico",
            ),
        ),
        "delivery-virus": RecipientScript(
            "not delivered: a virus was found at the recipient's provider",
            (
                ScriptedMessage(
                    NetworkKind.FAILURE_VIRUS, ("failure_s",), "rilevato virus informatico"
                ),
            ),
        ),
        "late": RecipientScript(
            "the 12 h notice, then the 24 h notice", steps=(_FIRST_NOTICE, _FINAL_NOTICE)
        ),
        "slow": RecipientScript(
            "the 12 h notice, then delivered",
            (
                _FIRST_NOTICE,
                ScriptedMessage(NetworkKind.DELIVERY, ("first_notice_s", "delivery_s")),
            ),
        ),
        "conflict": RecipientScript(
            "both time notices, then delivered all the same",
            (
                _FIRST_NOTICE,
                _FINAL_NOTICE,
                ScriptedMessage(NetworkKind.DELIVERY, ("final_notice_s", "delivery_s")),
            ),
        ),
        "ordinary": RecipientScript(
            "accepted as ordinary mail, no delivery receipt", certified=False
        ),
        "anomaly": RecipientScript(
            "accepted as ordinary mail, and its server sends it back",
            (
                ScriptedMessage(
                    NetworkKind.ANOMALY, ("failure_s",), "messaggio non di posta certificata"
                ),
            ),
            certified=False,
        ),
        "nonaccept": RecipientScript(
            "not accepted: a formal check failed",
            refusal=ScriptedMessage(
                NetworkKind.NON_ACCEPTANCE, ("acceptance_s",), "errori formali nel messaggio"
            ),
        ),
        "silent": RecipientScript("accepted, then nothing ever"),
        "mute": RecipientScript("a code, then nothing at all", acceptance=False),
    }
)
"""Outcomes by the local part, whole or up to a hyphen."""

_HTTP_STATUS = re.compile(r"http-([2-5]\d\d)(-|$)")
_LOST_ANSWERS: Mapping[str, Failure] = MappingProxyType(
    {"timeout": Failure.TIMEOUT, "lost": Failure.DISCONNECT}
)


def outcome_for(address: str) -> RecipientScript:
    """Return what becomes of a message to this address."""
    local = address.partition("@")[0].casefold()
    fitting = [name for name in OUTCOMES if _named(local, name)]
    return OUTCOMES[max(fitting, key=len)] if fitting else DELIVERED


def call_fault(recipients: Iterable[str]) -> FixedAnswer | Failure | None:
    """Return what befalls the call itself, or None.

    ``http-503-x@…`` is answered 503 unprocessed; ``timeout-x@…`` and ``lost-x@…`` are processed
    and the answer is lost (a ``Failure``).
    """
    for address in recipients:
        local = address.partition("@")[0].casefold()
        if match := _HTTP_STATUS.match(local):
            message = f"Simulated status {match[1]}"
            return FixedAnswer(int(match[1]), {"success": False, "message": message})
        for name, failure in _LOST_ANSWERS.items():
            if _named(local, name):
                return failure
    return None


def _named(local: str, name: str) -> bool:
    return local == name or local.startswith(name + "-")
