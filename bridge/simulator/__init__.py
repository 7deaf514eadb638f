"""A simulator of the PEC Massiva API: seven operations, a PEC network behind them, and faults.

Written from the vendor's description alone; shares no code with the client it is used against.
It stands in for the service in tests (in memory) and in ``demo`` and ``simulator`` (on a port).

In memory::

    simulator = Simulator(SEQUENCE_READING.replace(ids=Ids.STABLE), clock, Random(1))
    simulator.add_mailbox("azienda@pec.invalid", "secret")
    transport = httpx.ASGITransport(app=simulator.app)
    client = httpx.AsyncClient(transport=transport, base_url="http://api.invalid")

``Options`` has a field for each ambiguity of the description and no default for any; start from
one of the two opposite ``READINGS`` (``"sequence"``, ``"stable"``) and ``replace`` fields.
``Options.token`` is the bearer token.

What came in: ``simulator.sent`` (messages taken, each with ``received_at``, ``received_s``,
recipients, body, attachments and their digests) and ``simulator.calls(Operation.SEND)`` (every
call, failed ones too, with the clock's monotonic time at which its head had arrived).

Inboxes: ``simulator.inbox(address)`` (rows with their present ids), ``inject``, ``inject_raw``
(hostile JSON), ``delete``, ``delete_where``, ``seed(address, count)``. Receipts appear by the
recipient's local part (``scenario.OUTCOMES``: ``fail-…``, ``late-…``, ``virus-…`` and so on)
when the clock has passed ``Options.delays``; nothing runs in the background, whoever looks
(a call, ``inbox``) lets the due ones happen first.

A demo that should survive a kill calls ``keep_in(path)`` first and opens mailboxes only if that
returns False.

Faults::

    simulator.faults.fail(Operation.SEND, Phase.AFTER, Failure.TIMEOUT)        # next one
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=3)
    simulator.faults.fail(Operation.SEND, Phase.AFTER, Answer(500, b"<html>oops"), skip=1)
    simulator.faults.answer(None, 402, {"success": False}, times=None)         # until removed
    simulator.faults.answer(Operation.SEND, 429, headers={"Retry-After": "30"})
    hold = Hold()                                                             # stop a call
    simulator.faults.add(Fault(phase=Phase.AFTER, result=None, hold=hold))
    await hold.reached.wait(); hold.release.set()

The hosts where mailboxes and tokens are had are ``simulator.administration``, on the same app.

A failing connection shows in memory as the httpx exception that ``Failure`` names, at once and
without waiting for a timeout. On a port use ``SimulatorServer(simulator.app)``, which breaks or
stalls the connection itself; other servers would answer 500.
"""

from __future__ import annotations

from bridge.simulator.admin_call import AdminOperation
from bridge.simulator.administration import Administration
from bridge.simulator.fault import (
    Failure,
    FaultRule,
    Faults,
    FixedAnswer,
    Hold,
    Operation,
    Phase,
    ReceivedRequest,
)
from bridge.simulator.inbox import ListedRow, RawRow, Row
from bridge.simulator.options import (
    READINGS,
    SEQUENCE_READING,
    STABLE_READING,
    Accents,
    AttachmentForm,
    BodyContent,
    BodyTransfer,
    CodeForm,
    CodePlace,
    Dates,
    Delays,
    EnvelopeBody,
    Errors,
    FanOut,
    Ids,
    ListingOrder,
    Missing,
    Names,
    Options,
    PageCount,
    PageCounts,
    PastEnd,
    QuotaUnit,
    ReceiptText,
    SenderShape,
    SentCount,
)
from bridge.simulator.scenario import OUTCOMES, RecipientScript, outcome_for
from bridge.simulator.server import SimulatorServer
from bridge.simulator.simulator import Simulator
from bridge.simulator.submission import ReceivedAttachment, Sent

__all__ = [
    "OUTCOMES",
    "READINGS",
    "SEQUENCE_READING",
    "STABLE_READING",
    "Accents",
    "AdminOperation",
    "Administration",
    "AttachmentForm",
    "BodyContent",
    "BodyTransfer",
    "CodeForm",
    "CodePlace",
    "Dates",
    "Delays",
    "EnvelopeBody",
    "Errors",
    "Failure",
    "FanOut",
    "FaultRule",
    "Faults",
    "FixedAnswer",
    "Hold",
    "Ids",
    "ListedRow",
    "ListingOrder",
    "Missing",
    "Names",
    "Operation",
    "Options",
    "PageCount",
    "PageCounts",
    "PastEnd",
    "Phase",
    "QuotaUnit",
    "RawRow",
    "ReceiptText",
    "ReceivedAttachment",
    "ReceivedRequest",
    "RecipientScript",
    "Row",
    "SenderShape",
    "Sent",
    "SentCount",
    "Simulator",
    "SimulatorServer",
    "outcome_for",
]
