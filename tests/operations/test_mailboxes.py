"""Watching a mailbox on a clock that is moved by hand, and what prices come to."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path, PurePosixPath
from random import Random

import httpx
import pytest

from bridge.api.connection import ApiConnection
from bridge.api.errors import ApiError, NotFound
from bridge.api.mailbox_schema import HostedMailbox
from bridge.api.mailboxes import MailboxClient
from bridge.config import Prices, parse
from bridge.operations.cost import cost_of, cost_of_years, pecs_for
from bridge.operations.mailbox_words import account_lines
from bridge.operations.mailboxes import WATCH_LONGEST_S, watch
from bridge.registration.whole import check
from bridge.simulator import SEQUENCE_READING, AdminOperation, Failure, Phase, Simulator
from tests.fakes import FakeClock
from tests.registration.test_whole import GOOD, TODAY


class Watched:
    """A registered mailbox, and all that a watch has given so far."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.simulator = Simulator(SEQUENCE_READING, clock, Random(1))
        self.admin = self.simulator.administration
        self.client = MailboxClient(
            ApiConnection(
                "https://admin.test",
                self.simulator.token,
                clock=clock,
                transport=httpx.ASGITransport(app=self.simulator.app),
            ),
            clock,
        )
        self.seen: list[str] = []

    async def begin(self) -> asyncio.Task[None]:
        mailbox = await self.client.register(check(GOOD, TODAY).values)
        await self.client.activate(mailbox.id, (b"%PDF-1.4",))

        async def work() -> None:
            async for one in watch(self.client, self.clock, mailbox.id):
                self.seen.append(one.state_text if isinstance(one, HostedMailbox) else one.reason)

        return asyncio.create_task(work())

    def looks(self) -> int:
        return sum(one.operation is AdminOperation.SHOW for one in self.admin.calls)


@pytest.fixture
def watched(clock: FakeClock) -> Watched:
    return Watched(clock)


async def test_a_watch_tells_each_state_once_and_looks_less_and_less(watched: Watched) -> None:
    task = await watched.begin()
    await watched.clock.advance(3600)
    first_hour = watched.looks()
    assert 5 <= first_hour <= 15
    await watched.clock.advance(watched.admin.registry.processing_s)
    assert watched.looks() - first_hour <= 86_400 / WATCH_LONGEST_S + 5
    assert watched.seen == ["in_evasione", "evasa"]
    await task


async def test_a_watch_outlives_what_another_look_may_mend(watched: Watched) -> None:
    for failure in (Failure.CONNECT_ERROR, Failure.TIMEOUT):
        watched.admin.faults.fail(AdminOperation.SHOW, Phase.BEFORE, failure)
    watched.admin.faults.refuse(AdminOperation.SHOW, 503, "later", None)
    watched.admin.faults.refuse(AdminOperation.SHOW, 429, "slowly", None)
    task = await watched.begin()
    await watched.clock.advance(90_000)
    assert len(watched.seen) == 6
    assert watched.seen[-2:] == ["in_evasione", "evasa"]
    await task


@pytest.mark.parametrize("status", [401, 402, 403, 404])
async def test_a_watch_ends_at_what_no_look_mends(watched: Watched, status: int) -> None:
    watched.admin.faults.refuse(AdminOperation.SHOW, status, "no", None)
    task = await watched.begin()
    with pytest.raises(ApiError):
        await task


async def test_a_watch_that_is_ended_leaves_nothing_behind(watched: Watched) -> None:
    task = await watched.begin()
    await watched.clock.advance(100)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_account_without_mailboxes_is_told_from_one_that_is_not_found(
    watched: Watched,
) -> None:
    assert await watched.client.mailboxes() == ()
    watched.admin.faults.refuse(AdminOperation.LIST, 404, "no such page", None)
    with pytest.raises(NotFound):
        await watched.client.mailboxes()


def test_costs_are_told_before_and_with_vat() -> None:
    cost = cost_of(Prices(), Decimal("1500"))
    assert cost["words"] == "It costs 1,500.00 EUR plus 22 % VAT: 1,830.00 EUR."
    assert cost_of_years(Prices(), "pecmassiva", 3)["net_eur"] == 297.0
    assert cost_of_years(Prices(mailbox_year=0.1), "PECMASSIVA", 3)["net_eur"] == 0.3
    assert cost_of_years(Prices(vat_percent=4.5), "PECMASSIVA")["gross_eur"] == 103.46
    assert cost_of_years(Prices(), "GOLD")["net_eur"] is None


def test_a_credit_pays_for_so_many_pecs() -> None:
    assert pecs_for(Prices(), 0.3) == 6
    assert pecs_for(Prices(), -3.0) == 0
    assert pecs_for(Prices(pec=0.0), 1.0) is None


@pytest.mark.parametrize("address", ['a"\n[web]\n@b.it', "$(x)@b.it", "a b@c.it", "a'b@c.it", ""])
def test_what_is_no_plain_address_gets_no_lines_to_copy(address: str) -> None:
    assert account_lines(address, PurePosixPath("/etc/pec-bridge")) is None


def test_the_lines_to_copy_are_a_configuration() -> None:
    lines = account_lines("azienda@pecmassiva.com", PurePosixPath("/etc/pec bridge"))
    assert lines is not None
    config = parse(f"[api]\ntoken = {{ env = 'A' }}\n{lines}").config
    assert config.account[0].address == "azienda@pecmassiva.com"
    assert config.account[0].password.file == Path("/etc/pec bridge/azienda.password")
    assert "'/etc/pec bridge/azienda.password'" in lines
