"""``trace``: what clients, servers and the API say to each other, written into a file for a time.

Only a running bridge can do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from bridge.clock import rfc3339
from bridge.language import Sentence, say
from bridge.operations.accounts import Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.finding import CheckFinding, warning
from bridge.trace.tracing import PROTOCOLS, Trace, TraceFault, TraceWish, Tracing, network_of

USUAL_MINUTES, MOST_MINUTES = 15, 24 * 60
USUAL_MIB, MOST_MIB = 10, 100
MIB = 1024**2


class TraceOperations:
    """See the module.

    Args:
        tracing: writes.
        addresses: the accounts'.
    """

    def __init__(self, tracing: Tracing, addresses: Iterable[str]) -> None:
        self._tracing = tracing
        self._addresses = {one.casefold(): one for one in addresses}

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "trace start": self._start,
            "trace stop": self._stop,
            "trace list": self._list,
        }

    async def _start(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Begin a trace of ``account``, or of the clients from ``peer`` (an address or a network).

        ``protocols`` (all), ``minutes`` (15) and ``mib`` (10) bound it. Returns its facts.
        """
        try:
            return trace_facts(self._tracing, await self._tracing.start(self._wish(arguments)))
        except TraceFault as fault:
            raise OperationFailed(fault.args[0]) from None

    async def _stop(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """End the trace ``id``, or all; return their facts."""
        id = arguments.get("id")
        try:
            ended = await self._tracing.stop(None if id is None else str(id))
        except TraceFault as fault:
            raise OperationFailed(fault.args[0]) from None
        return [trace_facts(self._tracing, one) for one in ended]

    async def _list(self, _arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return the facts of the traces that are on."""
        return [trace_facts(self._tracing, one) for one in self._tracing.standing()]

    def _wish(self, arguments: Mapping[str, Any]) -> TraceWish:
        account, peer = arguments.get("account"), arguments.get("peer")
        if (account is None) == (peer is None):
            raise TraceFault(say("Say whom to trace: an account, or the clients from an address."))
        if account is not None and str(account).casefold() not in self._addresses:
            raise TraceFault(say("There is no account {account}.", account=account))
        protocols = frozenset(map(str, arguments.get("protocols") or PROTOCOLS))
        if unknown := protocols - set(PROTOCOLS):
            raise TraceFault(
                say("There is no protocol {unknown}.", unknown=", ".join(sorted(unknown)))
            )
        return TraceWish(
            account=None if account is None else self._addresses[str(account).casefold()],
            peer=None if peer is None else network_of(str(peer)),
            protocols=protocols if peer is None else protocols - {"api"},
            duration=timedelta(minutes=_number(arguments, "minutes", USUAL_MINUTES, MOST_MINUTES)),
            most_bytes=_number(arguments, "mib", USUAL_MIB, MOST_MIB) * MIB,
        )


def trace_facts(tracing: Tracing, trace: Trace) -> dict[str, Any]:
    """Return what a trace is of, since when, how long it goes on, its size and its file."""
    wish = trace.wish
    return {
        "id": trace.id,
        "account": wish.account,
        "peer": None if wish.peer is None else str(wish.peer),
        "protocols": sorted(wish.protocols),
        "since": rfc3339(trace.began_at),
        "left_s": round(tracing.left_s(trace)),
        "size_bytes": trace.size_bytes,
        "most_bytes": wish.most_bytes,
        "file": str(trace.path),
    }


def trace_findings(status: Mapping[str, Any]) -> list[CheckFinding]:
    """Return what ``check`` says of the traces that a running bridge writes."""
    return [
        warning(
            "trace",
            say("what is said is written down: {trace}", trace=trace_sentence(one, one["since"])),
            say("`pec-bridge trace stop {id}`, if it is not needed any more", id=one["id"]),
            "on",
        )
        for one in status.get("traces", ())
    ]


def trace_sentence(facts: Mapping[str, Any], since: str) -> Sentence:
    """Say whom a trace is of, since when, how much it wrote, where, and how long it goes on.

    Args:
        facts: see ``trace_facts``.
        since: when it began, as whoever reads it is used to.
    """
    return say(
        "{of} ({protocols}) since {since}, {mib} of {most} MiB in {file}; {minutes} minutes more",
        of=facts["account"] or say("the clients from {peer}", peer=facts["peer"]),
        protocols=", ".join(facts["protocols"]),
        since=since,
        mib=f"{facts['size_bytes'] / MIB:.1f}",
        most=facts["most_bytes"] // MIB,
        file=facts["file"],
        minutes=-(-facts["left_s"] // 60),
    )


def _number(arguments: Mapping[str, Any], name: str, usual: int, most: int) -> int:
    number = int(arguments.get(name) or usual)
    if not 1 <= number <= most:
        raise TraceFault(say("{name} is a number from 1 to {most}.", name=name, most=most))
    return number
