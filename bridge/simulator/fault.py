"""Faults that a test orders in advance: a queue of rules, each for some calls of some operation.

A rule says which calls it meets (operation, mailbox, how many to let pass, how many to strike),
at which phase, and what then happens: a ``Failure`` of the connection or a ``FixedAnswer`` of any
kind. Rules are data; ``respond`` turns them into behaviour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Operation(Enum):
    """The seven operations of the API."""

    SEND = "POST /send"
    SEND_STATUS = "GET /send/{code}"
    SEND_DELETE = "DELETE /send/{code}"
    INBOX_LIST = "GET /inbox"
    INBOX_GET = "GET /inbox/{id}"
    INBOX_DELETE = "DELETE /inbox/{id}"
    QUOTA = "GET /quota/{mailbox}"


class Phase(Enum):
    """When a rule strikes.

    BEFORE: the request was read, nothing is processed. DURING: part of a request's body was
    read (the caller's write fails), nothing is processed; such a rule can't tell mailboxes apart
    for POST /send. AFTER: processed, and the caller doesn't learn what came of it. INSTEAD: not
    processed, answered as the rule says.
    """

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"
    INSTEAD = "instead"


class Failure(Enum):
    """How a connection fails; the value is the httpx exception that a caller in memory sees.

    On a port a listener can't refuse one connection, so the first two close it unread, and
    timeouts answer nothing until the caller gives up.
    """

    CONNECT_ERROR = "ConnectError"
    CONNECT_TIMEOUT = "ConnectTimeout"
    WRITE_ERROR = "WriteError"
    WRITE_TIMEOUT = "WriteTimeout"
    RESET = "ReadError"
    TIMEOUT = "ReadTimeout"
    DISCONNECT = "RemoteProtocolError"
    """Closed in good order, without an answer."""
    TRUNCATED = "RemoteProtocolError: truncated"
    """The answer begins (``200``) and breaks off inside its body."""


@dataclass(frozen=True, slots=True)
class FixedAnswer:
    """Any HTTP answer: ``body`` is bytes sent as they are, or a value sent as JSON."""

    status: int
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a status HTTP doesn't have."""
        if not 200 <= self.status <= 599:
            raise ValueError("status must be between 200 and 599")


class Hold:
    """A gate in a call's way: a test waits for ``reached``, looks round, sets ``release``."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.release = asyncio.Event()

    async def wait(self) -> None:
        """Tell that a call is here and wait for leave to go on."""
        self.reached.set()
        await self.release.wait()


@dataclass(slots=True)
class ReceivedRequest:
    """One request as it came in; ``status`` or ``failure`` say how it ended, when it has.

    ``received_s`` is the clock's monotonic time when the request's head had arrived, before its
    body was read. ``target`` is the code, id, mailbox or query string the path named.
    """

    number: int
    operation: Operation
    received_at: datetime
    received_s: float
    mailbox: str | None = None
    target: str = ""
    status: int | None = None
    failure: Failure | None = None
    processed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One rule.

    ``skip`` calls that fit are let through first, then ``times`` are struck (None: until
    removed). ``result`` None only delays or holds the call and lets it go on.
    """

    phase: Phase
    result: Failure | FixedAnswer | None
    operation: Operation | None = None
    mailbox: str | None = None
    skip: int = 0
    times: int | None = 1
    delay_s: float = 0.0
    hold: Hold | None = None
    when: Callable[[ReceivedRequest], bool] | None = None

    def __post_init__(self) -> None:
        """Refuse rules that could never strike or that contradict themselves."""
        if self.skip < 0 or self.delay_s < 0 or (self.times is not None and self.times < 1):
            raise ValueError("skip and delay_s must not be negative, times must be positive")
        if self.phase is Phase.INSTEAD and not isinstance(self.result, FixedAnswer):
            raise ValueError("a rule with phase INSTEAD needs an Answer")

    def fits(self, call: ReceivedRequest) -> bool:
        """Tell whether the rule is meant for this call, however often it has struck."""
        return (
            self.operation in (None, call.operation)
            and (self.mailbox is None or self.mailbox == call.mailbox)
            and (self.when is None or self.when(call))
        )


@dataclass(slots=True)
class _Queued:
    fault: FaultRule
    to_skip: int
    left: int | None = field(default=None)

    def strikes(self) -> bool:
        if self.to_skip:
            self.to_skip -= 1
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The rules in force, first come first used."""

    def __init__(self) -> None:
        self._queue: list[_Queued] = []

    def add(self, fault: FaultRule) -> FaultRule:
        """Put a rule at the end of the queue and return it, for ``remove``."""
        self._queue.append(_Queued(fault, fault.skip, fault.times))
        return fault

    def fail(
        self,
        operation: Operation | None,
        phase: Phase,
        result: Failure | FixedAnswer,
        *,
        skip: int = 0,
        times: int | None = 1,
    ) -> FaultRule:
        """Add the plainest rule, e.g. ``fail(Operation.SEND, Phase.AFTER, Failure.TIMEOUT)``.

        Args:
            operation: of which calls; None: of any.
            phase: before, after or instead of the processing.
            result: how the call fails, or what is answered.
            skip: how many fitting calls are let pass first.
            times: how many calls; None: until removed.
        """
        rule = FaultRule(phase=phase, result=result, operation=operation, skip=skip, times=times)
        return self.add(rule)

    def answer(
        self,
        operation: Operation | None,
        status: int,
        body: object = b"",
        *,
        headers: Mapping[str, str] | None = None,
        times: int | None = 1,
    ) -> FaultRule:
        """Answer in place of processing, e.g. ``answer(None, 402, times=None)``.

        Args:
            operation: of which calls; None: of any.
            status: of the HTTP answer.
            body: bytes as they are, all else as JSON.
            headers: beside the usual ones.
            times: how many calls; None: until removed.
        """
        rule = FixedAnswer(status, body, headers or {})
        return self.add(
            FaultRule(phase=Phase.INSTEAD, result=rule, operation=operation, times=times)
        )

    def remove(self, fault: FaultRule) -> None:
        """Withdraw a rule; one that has run out or was withdrawn is no error."""
        self._queue = [queued for queued in self._queue if queued.fault is not fault]

    def clear(self) -> None:
        """Withdraw every rule."""
        self._queue = []

    @property
    def pending(self) -> tuple[FaultRule, ...]:
        """The rules that can still strike, in order."""
        return tuple(queued.fault for queued in self._queue)

    def take(self, call: ReceivedRequest, *phases: Phase) -> FaultRule | None:
        """Return the first rule of these phases that strikes this call, and count it.

        Every fitting rule before it that still lets calls pass has let one more pass.
        """
        for queued in self._queue:
            if queued.fault.phase in phases and queued.fault.fits(call) and queued.strikes():
                if queued.left == 0:
                    self._queue.remove(queued)
                return queued.fault
        return None
