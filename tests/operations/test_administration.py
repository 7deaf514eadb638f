"""The operations as any caller asks for them, past the questions of the command line."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from random import Random
from typing import Any

import httpx
import pytest

from bridge.api.connection import ApiConnection, Basic
from bridge.api.mailboxes import MailboxClient
from bridge.api.tokens import TokenClient
from bridge.config import Prices
from bridge.operations.control import OperationFailed
from bridge.operations.mailboxes import MailboxOperations
from bridge.operations.secretfile import SecretFile
from bridge.operations.table import Operations
from bridge.operations.tokens import TokenOperations
from bridge.simulator import (
    SEQUENCE_READING,
    AdminOperation,
    Failure,
    FixedAnswer,
    Phase,
    Simulator,
)
from tests.fakes import FakeClock
from tests.registration.test_whole import GOOD

SCOPES = ["POST:ws.pecmassiva.com/send"]


class Asked:
    """The operations against the simulated hosts."""

    def __init__(self, clock: FakeClock) -> None:
        self.simulator = Simulator(SEQUENCE_READING, clock, Random(1))
        self.admin = self.simulator.administration
        transport = httpx.ASGITransport(app=self.simulator.app)
        account = Basic(self.admin.email, self.admin.api_key)
        self.connections = [
            ApiConnection("https://a.test", token, clock=clock, transport=transport)
            for token in (self.simulator.token, account)
        ]
        mailboxes = MailboxOperations(
            MailboxClient(self.connections[0], clock),
            clock,
            Prices(),
            sandbox=False,
            known=frozenset(),
            secrets_folder=PurePosixPath("/etc"),
        )
        tokens = TokenOperations(
            TokenClient(self.connections[1], clock), clock, Prices(), frozenset()
        )
        self._operations = Operations([mailboxes.methods(), tokens.methods()])

    async def do(self, operation: str, /, **arguments: object) -> Any:
        return await self._operations.perform(operation, arguments, lambda _done, _total: None)

    async def active(self) -> str:
        id = str((await self.do("mailbox register", values=GOOD))["id"])
        self.admin.registry.move(id, "evasa")
        return id

    def calls(self) -> list[AdminOperation]:
        return [one.operation for one in self.admin.calls]


@pytest.fixture
async def asked(clock: FakeClock) -> AsyncIterator[Asked]:
    found = Asked(clock)
    yield found
    for connection in found.connections:
        await connection.aclose()


async def test_a_revocation_needs_the_mailboxs_own_address(asked: Asked) -> None:
    id = await asked.active()
    for address in ("", "altra@pecmassiva.com"):
        with pytest.raises(OperationFailed, match="nothing was revoked"):
            await asked.do("mailbox revoke", id=id, address=address)
    assert AdminOperation.REVOKE not in asked.calls()


async def test_a_registration_is_checked_again_before_it_is_sent(asked: Asked) -> None:
    with pytest.raises(OperationFailed, match="cap_titolare: must be 5 digits"):
        await asked.do("mailbox register", values=GOOD | {"cap_titolare": "187"})
    assert asked.calls() == []


async def test_a_pdf_is_looked_at_again_before_it_is_sent(asked: Asked) -> None:
    id = (await asked.do("mailbox register", values=GOOD))["id"]
    with pytest.raises(OperationFailed, match="is no PDF"):
        await asked.do("mailbox activate", id=id, pdf=base64.b64encode(b"GIF89a").decode())
    assert AdminOperation.ACTIVATE not in asked.calls()


@pytest.mark.parametrize("years", [-1, 11, 1000])
async def test_so_many_years_are_not_bought(asked: Asked, years: int) -> None:
    with pytest.raises(OperationFailed, match="1 to 10 years"):
        await asked.do("mailbox renew", id=await asked.active(), years=years)
    assert AdminOperation.RENEW not in asked.calls()


async def test_a_form_that_is_damaged_is_not_handed_on(asked: Asked) -> None:
    id = await asked.active()
    damaged = FixedAnswer(200, b"%PDF-1.4 cut", {"content-type": "application/pdf"})
    asked.admin.faults.fail(AdminOperation.FORM, Phase.INSTEAD, damaged)
    with pytest.raises(OperationFailed, match=r"is damaged .* nothing was saved"):
        await asked.do("mailbox form", id=id)


async def test_a_token_that_cannot_be_written_is_revoked_again(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: SecretFile, _secret: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SecretFile, "write", full)
    wanted = {"name": "n", "scopes": SCOPES, "to": str(tmp_path / "t")}
    with pytest.raises(OperationFailed, match=r"on device\. The new token was revoked"):
        await asked.do("token create", **wanted)
    assert asked.admin.tokens.issued == {}
    asked.admin.faults.fail(AdminOperation.TOKEN_DELETE, Phase.BEFORE, Failure.TIMEOUT)
    with pytest.raises(OperationFailed, match="token revoke") as failed:
        await asked.do("token create", **wanted)
    (left,) = asked.admin.tokens.issued
    assert left not in str(failed.value)
    assert left[-6:] in str(failed.value)
    assert os.listdir(tmp_path) == []


async def test_another_token_in_the_place_of_the_renewed_one_is_said(
    asked: Asked, tmp_path: Path
) -> None:
    await asked.do("token create", name="n", scopes=SCOPES, to=str(tmp_path / "t"))
    other = FixedAnswer(200, {"token": "f" * 24, "scopes": []})
    asked.admin.faults.fail(AdminOperation.TOKEN_UPDATE, Phase.INSTEAD, other)
    with pytest.raises(OperationFailed, match="put another token in its place"):
        await asked.do("token renew", which="n")


@pytest.mark.parametrize(
    ("name", "operation"),
    [("token renew", AdminOperation.TOKEN_UPDATE), ("token revoke", AdminOperation.TOKEN_DELETE)],
)
async def test_a_lost_answer_about_a_token_says_where_to_look(
    asked: Asked, tmp_path: Path, name: str, operation: AdminOperation
) -> None:
    await asked.do("token create", name="n", scopes=SCOPES, to=str(tmp_path / "t"))
    asked.admin.faults.fail(operation, Phase.AFTER, Failure.RESET)
    with pytest.raises(OperationFailed, match="pec-bridge token"):
        await asked.do(name, which="n")
    assert asked.calls().count(operation) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
async def test_a_tokens_file_keeps_its_owner(asked: Asked, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("old")
    os.chown(path, 1234, 1234)
    await asked.do("token create", name="n", scopes=SCOPES, to=str(path))
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1234)
