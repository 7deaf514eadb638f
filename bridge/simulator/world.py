"""The state of the simulated service: its mailboxes, its token, its network and what it saw."""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from bridge.clock import Clock
from bridge.simulator.fault import Faults, Operation, ReceivedRequest
from bridge.simulator.inbox import Inbox
from bridge.simulator.network import Network
from bridge.simulator.options import Options
from bridge.simulator.rendering import Rendering
from bridge.simulator.submission import Sent

_CALLS_KEPT = 100_000
GIBIBYTE = 1024**3


@dataclass(slots=True)
class ServiceMailbox:
    """A mailbox of the service; ``other_bytes`` are used by what the inbox doesn't show."""

    address: str
    username: str
    password: str = field(repr=False)
    inbox: Inbox
    limit_bytes: int = GIBIBYTE
    other_bytes: int = 0

    @property
    def used_bytes(self) -> int:
        """What counts against the quota."""
        return self.inbox.used_bytes + self.other_bytes


class World:
    """Everything behind the HTTP surface; one per simulator.

    ``changed`` is called after every change that a restart should not undo; ``allows`` knows the
    tokens that were made beside ``token``, and which permissions ("POST:send") they have.
    """

    def __init__(self, options: Options, clock: Clock, random: Random) -> None:
        self.options = options
        self.clock = clock
        self.random = random
        self.token = options.token
        self.rendering = Rendering(options)
        self.accounts: dict[str, ServiceMailbox] = {}
        self.inboxes: dict[str, Inbox] = {}
        self.network = Network(options, clock, random, self.inboxes)
        self.faults = Faults()
        self.sent: list[Sent] = []
        self.calls: deque[ReceivedRequest] = deque(maxlen=_CALLS_KEPT)
        self.changed: Callable[[], None] = _nobody_cares
        self.allows: Callable[[str, str], bool | None] = _no_other_token
        self.last_send_s: float | None = None
        self._call_count = 0

    def add_account(self, address: str, username: str, password: str) -> ServiceMailbox:
        """Open a mailbox.

        Raises:
            ValueError: there is one with this address or user name.
        """
        if address.casefold() in self.accounts or self._by_username(username):
            raise ValueError(f"{address} is there already")
        account = ServiceMailbox(address, username, password, Inbox(self.options))
        self.accounts[address.casefold()] = account
        self.inboxes[address.casefold()] = account.inbox
        return account

    def run_due(self) -> None:
        """Let the network do what has become due."""
        if self.network.run_due():
            self.changed()

    def account(self, address: str) -> ServiceMailbox:
        """Return the mailbox of an address, in any case.

        Raises:
            KeyError: there is none.
        """
        return self.accounts[address.casefold()]

    def authenticated(self, username: str, password: str) -> ServiceMailbox | None:
        """Return the mailbox these credentials open."""
        account = self._by_username(username)
        if account is None:
            return None
        right = hmac.compare_digest(account.password.encode(), password.encode())
        return account if right else None

    def named(self, username: str) -> str | None:
        """Return the address of a user name, whatever the password: for records and rules."""
        account = self._by_username(username)
        return None if account is None else account.address

    def begin_call(self, operation: Operation, target: str) -> ReceivedRequest:
        """Record that a request is here."""
        self._call_count += 1
        received_s = self.clock.monotonic()
        call = ReceivedRequest(
            self._call_count, operation, self.clock.now(), received_s, target=target
        )
        self.calls.append(call)
        return call

    def _by_username(self, username: str) -> ServiceMailbox | None:
        wanted = username.casefold()
        found = (one for one in self.accounts.values() if one.username.casefold() == wanted)
        return next(found, None)


def _nobody_cares() -> None:
    """Stand in for a file until the state is kept in one."""


def _no_other_token(_token: str, _scope: str) -> bool | None:
    """Stand in for the token host until there is one."""
    return None
