"""The PEC network behind the API: codes, receipts, notices and deliveries, each when it is due.

Nothing runs in the background: whoever looks first calls ``run_due``, and what the clock has
made due by then is put into the inboxes in order. So a test moves its clock, looks, and finds.

RFCs: 6109 §3.1 (acceptance), 6109 §3.1.6 (time notices), 6109 §3.3 (delivery).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

from bridge.clock import ROME, Clock
from bridge.simulator.content import NetworkMessage, content_of, html_to_text
from bridge.simulator.inbox import Inbox
from bridge.simulator.options import EnvelopeBody, FanOut, Options, ReceiptText, SenderShape
from bridge.simulator.scenario import RecipientScript, ScriptedMessage, outcome_for
from bridge.simulator.wording import PREFIXES, NetworkKind, ReceiptFacts, Recipient, text_of

_SENDER_NOT_MAILBOX = ScriptedMessage(
    NetworkKind.NON_ACCEPTANCE, ("acceptance_s",), "mittente diverso dalla casella autenticata"
)


_TEXT_BYTES = 2048
"""What a receipt weighs apart from a copy of the original."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What the API hands over: one valid request of ``mailbox``."""

    mailbox: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    body: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Pec:
    """One certified message under way; ``subject`` ends in the code; ``at`` is when it came."""

    mailbox: str
    sender: str
    recipients: tuple[Recipient, ...]
    subject: str
    body: str
    size_bytes: int
    at: datetime
    identifier: str


@dataclass(frozen=True, slots=True)
class NetworkEvent:
    """What the network says about a message: of which kind, about whom, when."""

    pec: Pec
    kind: NetworkKind
    recipients: tuple[Recipient, ...]
    at: datetime
    error: str = ""


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    due_s: float
    order: int
    event: NetworkEvent = field(compare=False)


class Network:
    """Takes messages from the API and fills the inboxes.

    Attributes:
        repeated_code: what every message gets in place of a code of its own; "" for none.

    Args:
        options: the reading of the description.
        clock: when receipts come.
        random: codes, and what else nobody foresees.
        inboxes: by address.
    """

    def __init__(
        self, options: Options, clock: Clock, random: Random, inboxes: Mapping[str, Inbox]
    ) -> None:
        self._options = options
        self._clock = clock
        self._random = random
        self._inboxes = inboxes
        self.repeated_code = ""
        self._codes: set[str] = set()
        self._due: list[_Due] = []
        self._order = itertools.count()

    @property
    def events(self) -> list[NetworkEvent]:
        """The receipts and notices still to come, in order."""
        return [due.event for due in sorted(self._due)]

    def restore(self, events: Iterable[NetworkEvent]) -> None:
        """Let these come at their times, or now if those have passed."""
        now = self._clock.now()
        for event in events:
            self._push(event, max((event.at - now).total_seconds(), 0))

    def submit(self, submitted: Submitted) -> str:
        """Take one request, set its consequences in motion and return its code."""
        code = self.repeated_code or self._new_code(self._clock.now())
        self._take(submitted, f"{submitted.subject} {code}")
        return code

    def submit_plain(self, submitted: Submitted) -> None:
        """Take a message that did not come through the API: it gets no code."""
        self._take(submitted, submitted.subject)

    def _take(self, submitted: Submitted, subject: str) -> None:
        now = self._clock.now()
        groups = [submitted.recipients]
        if self._options.fan_out is FanOut.PEC_EACH:
            groups = [(recipient,) for recipient in submitted.recipients]
        for group in groups:
            pec = Pec(
                mailbox=submitted.mailbox,
                sender=submitted.sender,
                recipients=tuple(Recipient(one, outcome_for(one).certified) for one in group),
                subject=subject,
                body=submitted.body,
                size_bytes=submitted.size_bytes,
                at=now,
                identifier=self._new_id(now),
            )
            self._send(pec)
        self.run_due()

    def run_due(self) -> bool:
        """Do everything that is due by now, in order; tells whether anything was."""
        now_s = self._clock.monotonic()
        happened = False
        while self._due and self._due[0].due_s <= now_s:
            self._happen(heapq.heappop(self._due).event)
            happened = True
        return happened

    def _send(self, pec: Pec) -> None:
        outcomes = [(recipient, outcome_for(recipient.address)) for recipient in pec.recipients]
        refusal = self._refusal(pec, [outcome for _, outcome in outcomes])
        if refusal is not None:
            self._schedule(pec, refusal, pec.recipients)
            return
        if any(outcome.acceptance for _, outcome in outcomes):
            self._schedule(
                pec, ScriptedMessage(NetworkKind.ACCEPTANCE, ("acceptance_s",)), pec.recipients
            )
        for recipient, outcome in outcomes:
            for step in outcome.steps:
                self._schedule(pec, step, (recipient,))

    def _refusal(self, pec: Pec, outcomes: list[RecipientScript]) -> ScriptedMessage | None:
        if pec.sender.casefold() != pec.mailbox.casefold():
            return _SENDER_NOT_MAILBOX
        return next((outcome.refusal for outcome in outcomes if outcome.refusal), None)

    def _schedule(self, pec: Pec, step: ScriptedMessage, recipients: tuple[Recipient, ...]) -> None:
        delay_s = step.delay_s(self._options.delays)
        event = NetworkEvent(
            pec, step.kind, recipients, pec.at + timedelta(seconds=delay_s), step.error
        )
        self._push(event, delay_s)

    def _push(self, event: NetworkEvent, delay_s: float) -> None:
        due_s = self._clock.monotonic() + delay_s
        heapq.heappush(self._due, _Due(due_s, next(self._order), event))

    def _happen(self, event: NetworkEvent) -> None:
        pec, first = event.pec, event.recipients[0].address
        if event.kind is NetworkKind.DELIVERY:
            envelope = replace(event, kind=NetworkKind.ENVELOPE, recipients=pec.recipients)
            self._put(first, self._on_behalf_of(pec.sender, _domain(pec.mailbox)), envelope)
        by_other_provider = event.kind in (NetworkKind.DELIVERY, NetworkKind.FAILURE)
        issuer = _domain(first if by_other_provider else pec.mailbox)
        sender = f"posta-certificata@{issuer}"
        if event.kind is NetworkKind.ANOMALY:
            sender = self._on_behalf_of(f"mailer-daemon@{_domain(first)}", issuer)
        self._put(pec.mailbox, sender, event)

    def _put(self, address: str, sender: str, event: NetworkEvent) -> None:
        inbox = self._inboxes.get(address.casefold())
        if inbox is None:
            return
        notice = self._notice(address, sender, event)
        with_original = notice.original_html is not None
        quoted = (
            event.kind is NetworkKind.ENVELOPE and self._options.sender_shape is SenderShape.QUOTED
        )
        inbox.add(
            sender=sender,
            recipient=f'"{address}" ' if quoted else address,
            at=event.at,
            subject=notice.subject,
            body=partial(content_of, notice, self._options.body_content),
            status_text=html_to_text(event.pec.body).strip() if with_original else "",
            size_bytes=_TEXT_BYTES + (event.pec.size_bytes if with_original else 0),
        )

    def _notice(self, address: str, sender: str, event: NetworkEvent) -> NetworkMessage:
        pec = event.pec
        facts = ReceiptFacts(
            event.at, pec.subject, pec.sender, event.recipients, pec.identifier, event.error
        )
        text_b = self._options.receipt_text is not ReceiptText.TEMPLATE_A
        with_original = event.kind in (NetworkKind.DELIVERY, NetworkKind.ENVELOPE)
        return NetworkMessage(
            kind=event.kind,
            sender=sender,
            recipient=address,
            subject=f"{PREFIXES[event.kind]}: {pec.subject}",
            at=event.at,
            identifier=pec.identifier,
            text=text_of(event.kind, facts, template_b=text_b),
            original_html=pec.body if with_original else None,
            shows_original=with_original and self._shows_original(event.kind),
        )

    def _shows_original(self, kind: NetworkKind) -> bool:
        if kind is NetworkKind.ENVELOPE:
            return self._options.envelope_body is EnvelopeBody.ORIGINAL
        return self._options.receipt_text is ReceiptText.ORIGINAL

    def _on_behalf_of(self, address: str, issuer: str) -> str:
        shown = f'"Per conto di: {address}" '
        if self._options.sender_shape is SenderShape.QUOTED:
            return shown
        return f"{shown}<posta-certificata@{issuer}>"

    def _new_code(self, now: datetime) -> str:
        local = now.astimezone(ROME).strftime("%Y%m%d%H%M%S")
        digits = self._options.code_digits - len(local)
        free = [
            code
            for tail in self._random.sample(range(10**digits), min(10**digits, 100))
            if (code := f"{local}{tail:0{digits}d}") not in self._codes
        ]
        if not free:
            return self._new_code(now + timedelta(seconds=1))
        self._codes.add(free[0])
        return free[0]

    def _new_id(self, now: datetime) -> str:
        stamp = now.astimezone(ROME).strftime("%Y%m%d%H%M%S")
        return f"sim{stamp}.{self._random.randrange(10**8):08d}@pec.simulator.invalid"


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
