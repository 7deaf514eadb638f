"""``Simulator``: the service as a test or a demo holds it.

Owns nothing but a ``World``; every method is synchronous and takes effect at once.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from random import Random

from starlette.types import ASGIApp

from bridge.clock import Clock, SystemClock
from bridge.simulator.administration import Administration
from bridge.simulator.app import Front
from bridge.simulator.fault import Faults, Operation, ReceivedRequest
from bridge.simulator.inbox import ListedRow, RawRow, Row
from bridge.simulator.network import Submitted
from bridge.simulator.options import Options
from bridge.simulator.saved import keep
from bridge.simulator.seed import fill
from bridge.simulator.state import WorldState
from bridge.simulator.submission import Sent
from bridge.simulator.world import ServiceMailbox, World


class Simulator:
    """A simulated API; see the package's docstring for an example.

    ``options`` says how it reads the description; ``clock`` is asked for every time and delay;
    ``random`` makes codes and identifiers.
    """

    def __init__(
        self, options: Options, clock: Clock | None = None, random: Random | None = None
    ) -> None:
        chosen = random if random is not None else Random(0)  # noqa: S311 - no secret is made
        self._world = World(options, clock if clock is not None else SystemClock(), chosen)
        self._administration = Administration(self._world)
        more = [*WorldState(self._world).routes(), *self._administration.routes()]
        self._app = Front(self._world).app(more)

    @property
    def app(self) -> ASGIApp:
        """The ASGI application, for ``httpx.ASGITransport`` or ``SimulatorServer``."""
        return self._app

    @property
    def administration(self) -> Administration:
        """The hosts where mailboxes and tokens are had, and what was paid for them."""
        return self._administration

    @property
    def options(self) -> Options:
        """The reading in force."""
        return self._world.options

    @property
    def faults(self) -> Faults:
        """The rules in force; add to them."""
        return self._world.faults

    @property
    def sent(self) -> list[Sent]:
        """Every message taken, in order; one entry for each PEC that would have been paid."""
        return self._world.sent

    def calls(self, operation: Operation | None = None) -> list[ReceivedRequest]:
        """Return the calls that came in, failed ones too, oldest first; the last 100,000."""
        return [call for call in self._world.calls if operation in (None, call.operation)]

    def keep_in(self, path: Path) -> bool:
        """Go on from the state in a file, if there is one, and keep every change there.

        For a demo that is killed and started again. Call it first; returns False when there was
        no file, so that mailboxes are to be opened and filled.

        Raises:
            ValueError: the file holds something else.
            OSError: it can't be read or written.
        """
        return keep(self._world, path)

    @property
    def token(self) -> str:
        """The bearer token that is valid now; set it to revoke the old one."""
        return self._world.token

    @token.setter
    def token(self, token: str) -> None:
        self._world.token = token

    def add_mailbox(self, address: str, password: str, username: str | None = None) -> None:
        """Open a mailbox; the user name is the address unless given.

        Raises:
            ValueError: the address or the user name is taken.
        """
        self._world.add_account(address, username or address, password)
        self._world.changed()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of all mailboxes, in the order they were opened."""
        return tuple(account.address for account in self._world.accounts.values())

    def set_password(self, address: str, password: str) -> None:
        """Change a mailbox's password."""
        self._world.account(address).password = password
        self._world.changed()

    def set_quota(self, address: str, *, used_bytes: int, limit_bytes: int) -> None:
        """Let ``GET /quota`` tell these figures, plus whatever arrives from now on."""
        account = self._world.account(address)
        account.limit_bytes = limit_bytes
        account.other_bytes = used_bytes - account.inbox.used_bytes
        self._world.changed()

    def inbox(self, address: str) -> tuple[ListedRow, ...]:
        """Return what a mailbox holds now, oldest first, with the ids valid at this moment."""
        return self._now(address).inbox.listed()

    def run_due(self) -> None:
        """Let the network do what has become due (listing and sending do so by themselves)."""
        self._world.run_due()

    def inject(
        self,
        address: str,
        *,
        subject: str,
        body: str = "Testo.",
        sender: str = '"Per conto di: mittente@esempio.invalid" ',
        at: datetime | None = None,
        status_text: str = "",
    ) -> Row:
        """Put a message into a mailbox; nothing in it is checked or cleaned.

        Args:
            address: the mailbox's.
            subject: as the listing shows it.
            body: the text before the transfer encoding of the reading.
            sender: as the listing shows it.
            at: the row's date, aware; None: now.
            status_text: what ``GET /send`` shows of it.
        """
        row = self._now(address).inbox.add(
            sender=sender,
            recipient=address,
            at=at if at is not None else self._world.clock.now(),
            subject=subject,
            body=body,
            status_text=status_text,
        )
        self._world.changed()
        return row

    def send_elsewhere(
        self,
        address: str,
        subject: str,
        recipients: Sequence[str],
        *,
        body: str = "<p>Testo.</p>",
        coded: bool = False,
    ) -> str:
        """Send from a mailbox past whoever is tested; its receipts come into the same inbox.

        Returns the code, "" without one.

        Args:
            address: the mailbox that sends.
            subject: without a code.
            recipients: their addresses.
            body: HTML.
            coded: as another program does through the API, not as the webmail does.
        """
        account = self._now(address)
        submitted = Submitted(
            account.address, account.address, tuple(recipients), subject, body, len(body)
        )
        if coded:
            code = self._world.network.submit(submitted)
        else:
            code = ""
            self._world.network.submit_plain(submitted)
        self._world.changed()
        return code

    def forward(self, address: str, row: Row, recipients: Sequence[str]) -> None:
        """Forward a row of a mailbox from its webmail: ``I:``, its subject, its text."""
        self.send_elsewhere(
            address, f"I: {row.subject}", recipients, body=f"<p>{html.escape(row.text)}</p>"
        )

    def repeat_code(self, code: str) -> None:
        """Give every message taken from now on this code; "" ends that."""
        self._world.network.repeated_code = code

    def inject_raw(self, address: str, listing: object, single: object) -> Row:
        """Put a hostile row into a mailbox: JSON values shown exactly as given (``RawRow``).

        If ``listing`` has an ``id`` of its own, ``GET /inbox/{id}`` finds the row by its text.
        """
        row = self._now(address).inbox.add(
            sender="",
            recipient=address,
            at=self._world.clock.now(),
            subject="",
            body="",
            raw=RawRow(listing, single),
        )
        self._world.changed()
        return row

    def delete(self, address: str, row: Row) -> None:
        """Take a row away, as somebody in the webmail would."""
        self._now(address).inbox.remove(row)
        self._world.changed()

    def delete_where(self, address: str, condition: Callable[[Row], bool]) -> int:
        """Take away every row that fits; returns how many there were."""
        count = self._now(address).inbox.remove_where(condition)
        self._world.changed()
        return count

    def seed(
        self, address: str, count: int, *, newest: datetime | None = None, body_bytes: int = 600
    ) -> None:
        """Append made-up messages.

        Args:
            address: the mailbox's.
            count: how many messages.
            newest: the date of the last one, aware; None: now.
            body_bytes: about what each body weighs.
        """
        account = self._now(address)
        last = newest if newest is not None else self._world.clock.now()
        fill(account.inbox, self.options, account.address, count, last, body_bytes)
        self._world.changed()

    def _now(self, address: str) -> ServiceMailbox:
        self._world.run_due()
        return self._world.account(address)
