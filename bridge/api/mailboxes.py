"""The mailbox host (pec.openapi.it): each operation one method, each request made once.

``renew`` is a GET that costs money; it and everything that changes something goes out on a
connection of its own and is never repeated.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.api import mailbox_schema as schema
from bridge.api.admin_errors import MAILBOX_STEPS
from bridge.api.admin_host import AdminHost, segment
from bridge.api.connection import ApiConnection
from bridge.api.errors import NotFound
from bridge.api.mailbox_schema import HostedMailbox, NewUser, Space
from bridge.clock import Clock
from bridge.language import say

CREDENTIALS = say(
    "The token is wrong, has expired, or lacks this permission: `pec-bridge token create --admin` "
    "makes one that has it (with `--may-revoke` for `mailbox revoke`)."
)
NO_MAILBOX = "no pec linked"


class MailboxClient:
    """The mailbox host with one token."""

    def __init__(self, connection: ApiConnection, clock: Clock) -> None:
        self._host = AdminHost(connection, clock, steps=MAILBOX_STEPS, credentials=CREDENTIALS)

    async def is_free(self, address: str) -> bool:
        """``GET /verifica_pec/{pec}``: whether nobody has the address."""
        return await self._host.get(f"/verifica_pec/{segment(address)}", schema.read_available)

    async def is_certified(self, domain: str) -> bool:
        """``GET /domini_pec/{dominio}``: whether a domain belongs to certified mail."""
        return await self._host.get(f"/domini_pec/{segment(domain)}", lambda _: True, empty=False)

    async def mailboxes(self) -> tuple[HostedMailbox, ...]:
        """``GET /pec``: every mailbox that was registered through this interface."""
        try:
            return await self._host.get("/pec", schema.read_mailboxes)
        except NotFound as none:
            if NO_MAILBOX not in none.message.lower():
                raise
        return ()

    async def mailbox(self, id: str) -> HostedMailbox:
        """``GET /pec/{id}``: one mailbox with all that is known of it."""
        return await self._host.get(f"/pec/{segment(id)}", schema.read_mailbox)

    async def register(self, values: Mapping[str, object]) -> HostedMailbox:
        """``POST /pec``: register a mailbox; costs money."""
        return await self._host.change(
            "POST", "/pec", schema.read_mailbox, body=schema.registration_body(values)
        )

    async def form(self, id: str) -> bytes:
        """``GET /pec/{id}/modulo_attivazione``: the form to be signed, a PDF."""
        return await self._host.document(f"/pec/{segment(id)}/modulo_attivazione")

    async def activate(self, id: str, pdfs: tuple[bytes, ...]) -> HostedMailbox:
        """``PATCH /pec/{id}/attivazione``: hand in the signed form and the document."""
        return await self._patch(id, "attivazione", schema.documents_body(pdfs))

    async def renew(self, id: str, years: int) -> HostedMailbox:
        """``GET /pec/{id}/rinnovo``: renew for so many years; costs money."""
        return await self._host.change(
            "GET", f"/pec/{segment(id)}/rinnovo", schema.read_mailbox, params={"anni": str(years)}
        )

    async def add_space(self, id: str, space: Space) -> HostedMailbox:
        """``PATCH /pec/{id}/modifica``: more space; costs money."""
        return await self._patch(id, "modifica", schema.space_body(space))

    async def convert(self, id: str, kind: str) -> HostedMailbox:
        """``PATCH /pec/{id}/trasformazione``: a larger kind; costs money."""
        return await self._patch(id, "trasformazione", schema.kind_body(kind))

    async def add_user(self, id: str, user: NewUser) -> HostedMailbox:
        """``POST /pec/{id}/multiutenza``: a further user; costs money."""
        path = f"/pec/{segment(id)}/multiutenza"
        return await self._host.change(
            "POST", path, schema.read_mailbox, body=schema.user_body(user)
        )

    async def revoke(self, id: str) -> HostedMailbox:
        """``DELETE /pec/{id}``: end a mailbox."""
        return await self._host.change("DELETE", f"/pec/{segment(id)}", schema.read_mailbox)

    async def _patch(self, id: str, what: str, body: bytes) -> HostedMailbox:
        path = f"/pec/{segment(id)}/{what}"
        return await self._host.change("PATCH", path, schema.read_mailbox, body=body)
