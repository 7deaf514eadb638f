"""``reload``: what is taken over, what stays, and that a fault changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import re
import smtplib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import httpx
import pytest

from bridge.app.bridge import Bridge
from bridge.app.certificate import make
from bridge.app.reload import changes, kept, shut_out
from bridge.clock import SystemClock
from bridge.config import (
    Account,
    Alarms,
    Config,
    ConfigError,
    ConfigFault,
    Listen,
    Receiver,
    SecretSource,
    Tls,
    Webhook,
)
from bridge.config.values import Imap, Log, Web
from bridge.credentials import AccountSecrets, ReceiverSecrets, Secret, Secrets
from bridge.login import GuessGuard, LoginGate
from bridge.model import AccountId
from bridge.net.listening import Listening
from bridge.operations.control import OperationFailed, ask
from bridge.simulator import FaultRule, Hold, Operation, Phase, Simulator
from bridge.web.password import AdministratorPassword
from bridge.web.people import PagePeople
from tests.hooks.receiver import Inbox, receiving
from tests.running import (
    ADDRESS,
    PASSWORD,
    SIGNING,
    Running,
    apart,
    eventually,
    settings,
    simulated,
    until,
)

OTHER = "altra@pec.example"
NOWHERE = SecretSource(env="UNUSED")


def secrets(*passwords: str, token: str) -> Secrets:
    each = tuple(AccountSecrets(Secret(one), Secret(one)) for one in passwords)
    return Secrets(Secret(token), each)


@dataclass
class Source:
    """Settings as a test changes them."""

    config: Config
    secrets: Secrets
    fault: str = ""
    noted: list[Config] = field(default_factory=list)

    def read(self) -> tuple[Config, Secrets]:
        if self.fault:
            raise ConfigError((ConfigFault("config.toml:3: send", self.fault),))
        return self.config, self.secrets

    def taken_over(self, config: Config) -> None:
        self.noted.append(config)

    def has(self, *addresses: str) -> None:
        accounts = tuple(Account(address=one, password=NOWHERE) for one in addresses)
        self.config = replace(self.config, account=accounts)


@dataclass
class World:
    bridge: Running
    source: Source
    simulator: Simulator
    data_dir: Path

    async def reload(self) -> dict[str, list[str]]:
        facts: dict[str, list[str]] = await ask(self.data_dir, "reload", {})
        return facts


@asynccontextmanager
async def world(
    tmp_path: Path, password: str = PASSWORD, **changed: object
) -> AsyncIterator[World]:
    simulator = simulated()
    simulator.add_mailbox(OTHER, "altra")
    data_dir = tmp_path / "data"
    config = replace(settings(data_dir), **changed)  # type: ignore[arg-type]
    source = Source(config, secrets(password, token=simulator.token))
    bridge = Bridge(
        config,
        source.secrets,
        clock=SystemClock(),
        random=Random(1),
        http_transport=httpx.ASGITransport(app=simulator.app),
    )
    bridge.reload_from(source)
    listening: Listening = await bridge.start()
    try:
        yield World(Running(bridge, listening, config), source, simulator, data_dir)
    finally:
        await bridge.stop()


def logged_in(port: int, address: str, password: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", port, timeout=20)
    try:
        client.login(address, password)
        client.select()
    except BaseException:
        client.shutdown()
        raise
    return client


async def test_an_account_comes_and_nobody_is_disconnected(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        ended = asyncio.ensure_future(here.bridge.bridge.wait())
        client = await apart(here.bridge.imap)
        smtp = await apart(smtplib.SMTP, "127.0.0.1", here.bridge.port("smtp"))
        await apart(smtp.login, ADDRESS, PASSWORD)
        here.source.has(ADDRESS, OTHER)
        here.source.secrets = secrets(PASSWORD, "altra", token=here.simulator.token)
        assert await here.reload() == {"changed": [f"account {OTHER} added"], "needs_restart": []}
        assert (await apart(client.noop))[0] == "OK"
        text = (
            f"From: {ADDRESS}\r\nTo: {OTHER}\r\nSubject: Dopo\r\nMessage-ID: <d@x>\r\n\r\nCiao.\r\n"
        )
        assert await apart(smtp.sendmail, ADDRESS, [OTHER], text) == {}
        other = await apart(logged_in, here.bridge.port("imap"), OTHER, "altra")
        await until(lambda: here.simulator.sent)
        status = await ask(here.data_dir, "status", {})
        assert [one["address"] for one in status["accounts"]] == [ADDRESS, OTHER]
        assert not ended.done()
        for one in (client, other):
            await apart(one.logout)
        await apart(smtp.quit)
        ended.cancel()


async def test_an_account_goes_and_its_clients_only(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.source.has(ADDRESS, OTHER)
        here.source.secrets = secrets(PASSWORD, "altra", token=here.simulator.token)
        await here.reload()
        stays = await apart(here.bridge.imap)
        goes = await apart(logged_in, here.bridge.port("imap"), OTHER, "altra")
        here.source.has(ADDRESS)
        here.source.secrets = secrets(PASSWORD, token=here.simulator.token)
        assert (await here.reload())["changed"] == [f"account {OTHER} removed"]
        with pytest.raises((imaplib.IMAP4.error, OSError)):
            await apart(goes.noop)
        goes.shutdown()
        assert (await apart(stays.noop))[0] == "OK"
        with pytest.raises(imaplib.IMAP4.error):
            await apart(logged_in, here.bridge.port("imap"), OTHER, "altra")
        await apart(stays.logout)


async def test_a_changed_password_ends_what_the_old_one_opened_and_nothing_else(
    tmp_path: Path,
) -> None:
    """In IMAP, in SMTP and in a browser; who was let in by the old one may be whom it is for."""
    async with world(tmp_path, web=Web((Listen("127.0.0.1", 0),))) as here:
        here.source.has(ADDRESS, OTHER)
        here.source.secrets = secrets(PASSWORD, "altra", token=here.simulator.token)
        await here.reload()
        port = here.bridge.port("imap")
        goes, stays = await apart(here.bridge.imap), await apart(logged_in, port, OTHER, "altra")
        smtp = await apart(smtplib.SMTP, "127.0.0.1", here.bridge.port("smtp"))
        await apart(smtp.login, ADDRESS, PASSWORD)
        await apart(smtp.mail, ADDRESS)
        async with browsers(here, {ADDRESS: PASSWORD, OTHER: "altra"}) as (first, other):
            here.source.secrets = secrets("nuova", "altra", token=here.simulator.token)
            assert f"the secret password of {ADDRESS}" in (await here.reload())["changed"]
            with pytest.raises((imaplib.IMAP4.error, OSError)):
                await apart(goes.noop)
            assert (await apart(smtp.noop))[0] == 421
            assert (await first.get("/")).status_code == 303
            assert (await other.get("/")).status_code == 200
        assert (await apart(stays.noop))[0] == "OK"
        again = await apart(logged_in, port, ADDRESS, "nuova")
        for one in (again, stays):
            await apart(one.logout)
        goes.shutdown()
        smtp.close()


@asynccontextmanager
async def browsers(
    here: World, passwords: dict[str, str]
) -> AsyncIterator[tuple[httpx.AsyncClient, ...]]:
    """Give a browser that has logged in for each address."""
    async with contextlib.AsyncExitStack() as held:
        clients = []
        for address, password in passwords.items():
            base = f"http://127.0.0.1:{here.bridge.port('http')}"
            client = await held.enter_async_context(httpx.AsyncClient(base_url=base))
            form = (await client.get("/login")).text
            (csrf,) = re.findall(r'name="csrf" value="([^"]+)"', form)
            said = {"csrf": csrf, "name": address, "password": password}
            answer = await client.post("/login", data=said, headers={"Origin": base})
            assert answer.status_code == 303, answer.text
            assert (await client.get("/")).status_code == 200
            clients.append(client)
        yield tuple(clients)


async def test_who_logs_in_meanwhile_is_checked_by_what_is_so_now() -> None:
    """The check of the old password takes its time, and ends after it was changed."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def check(self, login: str, password: str) -> AccountId | None:
            asked.set()
            await go_on.wait()
            return AccountId(1)

        def seal(self, account: AccountId, token: str) -> bytes:
            return b""

    class Nobody:
        async def check(self, login: str, password: str) -> AccountId | None:
            return None

        def seal(self, account: AccountId, token: str) -> bytes:
            return b""

    gate = LoginGate(Slow(), GuessGuard(SystemClock()))
    people = PagePeople(Slow(), {}, AdministratorPassword(Path("/nonexistent")))
    entering = asyncio.ensure_future(gate.enter("imap", "127.0.0.1", ADDRESS, PASSWORD))
    checking = asyncio.ensure_future(people.check(ADDRESS, PASSWORD))
    await asked.wait()
    await asyncio.sleep(0)
    gate.take_over(Nobody(), ())
    people.take_over(Nobody(), {})
    go_on.set()
    assert (await entering, await checking) == (None, None)


@pytest.mark.parametrize(("after", "status"), [(PASSWORD, 200), ("another", 303)])
async def test_a_password_changed_meanwhile_ends_the_browsers_sessions(
    tmp_path: Path, after: str, status: int
) -> None:
    """As it does with a reload; nobody else has to log in again after a start."""
    web = Web((Listen("127.0.0.1", 0),))
    async with world(tmp_path, web=web) as here, browsers(here, {ADDRESS: PASSWORD}) as (first,):
        cookies = dict(first.cookies)
    async with world(tmp_path, password=after, web=web) as here:
        base = f"http://127.0.0.1:{here.bridge.port('http')}"
        async with httpx.AsyncClient(base_url=base, cookies=cookies) as client:
            assert (await client.get("/")).status_code == status


@pytest.mark.parametrize(
    ("before", "after", "out"),
    [
        (("a", None), ("a", None), False),
        (("a", None), ("a", "b"), False),
        (("a", "b"), ("b", "a"), False),
        (("a", None), ("b", None), True),
        (("a", "b"), ("a", None), True),
        (("a", "b"), ("a", "c"), True),
        (("a", "b"), None, True),
    ],
)
def test_who_is_shut_out(
    tmp_path: Path,
    before: tuple[str, str | None],
    after: tuple[str, str | None] | None,
    *,
    out: bool,
) -> None:
    config = settings(tmp_path)
    nobody = replace(config, account=())
    new = nobody if after is None else config
    found = shut_out(
        config, new, of(before), Secrets(Secret("t"), ()) if after is None else of(after)
    )
    assert found == ({ADDRESS.casefold()} if out else frozenset())


def of(passwords: tuple[str, str | None]) -> Secrets:
    own, local = passwords
    one = AccountSecrets(Secret(own), Secret(local or own))
    return Secrets(Secret("t"), (one,))


async def test_secrets_and_limits(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.simulator.token = "another"
        here.source.secrets = secrets(PASSWORD, token="another")
        send = replace(here.source.config.send, max_message_bytes=2048)
        here.source.config = replace(here.source.config, send=send, log=Log("debug"))
        smtp = await apart(smtplib.SMTP, "127.0.0.1", here.bridge.port("smtp"))
        facts = await here.reload()
        assert facts["changed"] == ["send.max_message_bytes", "log.level", "the secret api.token"]
        await apart(smtp.ehlo)
        assert smtp.esmtp_features["size"] == "2048"
        assert [one.log.level for one in here.source.noted] == ["debug"]
        await apart(smtp.quit)
        (quota,) = await ask(here.data_dir, "quota", {})
        assert quota["account"] == ADDRESS


async def test_a_certificate(tmp_path: Path) -> None:
    pem = tmp_path / "own.pem"
    make(pem, ["localhost"])
    async with world(tmp_path, tls=Tls(pem, pem)) as here:
        port = here.bridge.port("imap")
        before = await apart(shown, port)
        make(pem, ["localhost"])
        assert (await here.reload())["changed"] == ["the certificate"]
        after = await apart(shown, port)
        status = await ask(here.data_dir, "status", {})
        assert before != after
        assert (await here.reload())["changed"] == []
        assert status["tls"]["fingerprint"]
        pem.write_text("damaged")
        with pytest.raises(OperationFailed, match="Nothing was changed"):
            await here.reload()
        assert await apart(shown, port) == after


def shown(port: int) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with imaplib.IMAP4("127.0.0.1", port, timeout=20) as client:
        client.starttls(context)
        found = client.sock.getpeercert(binary_form=True)  # type: ignore[attr-defined]
        assert isinstance(found, bytes)
        return found


async def test_a_fault_changes_nothing_and_says_so(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.source.has(OTHER)
        here.source.fault = "is not a setting"
        with pytest.raises(OperationFailed, match=r"send: is not a setting\nNothing was changed"):
            await here.reload()
        client = await apart(here.bridge.imap)
        await apart(client.logout)
        assert here.source.noted == []


async def test_what_is_under_way_ends_first_and_is_sent_once(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        hold = Hold()
        rule = FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold)
        here.simulator.faults.add(rule)
        await apart(here.bridge.submit, "In mano", "c@pec.example")
        await until(lambda: here.simulator.calls(Operation.SEND))
        reloading = asyncio.ensure_future(here.reload())
        await apart(here.bridge.submit, "Intanto", "c@pec.example")
        assert not reloading.done()
        hold.release.set()
        await reloading

        async def both_sent() -> bool:
            entries = await ask(here.data_dir, "queue list", {})
            return [one["state"] for one in entries] == ["submitted"] * 2

        await eventually(both_sent)
        assert len(here.simulator.calls(Operation.SEND)) == 2


async def test_a_request_that_does_not_end_is_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reload gives up, changes nothing, and sending goes on."""
    monkeypatch.setattr("bridge.app.reload.WAITS_S", 0.3)
    monkeypatch.setattr("bridge.app.reload.TELL_S", 0.1)
    async with world(tmp_path) as here:
        hold = Hold()
        rule = FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold)
        here.simulator.faults.add(rule)
        await apart(here.bridge.submit, "In mano", "c@pec.example")
        await hold.reached.wait()
        here.source.config = replace(here.source.config, log=Log("debug"))
        told: list[tuple[int, int]] = []
        with pytest.raises(OperationFailed, match=r"^1 request to the API did not end within"):
            await ask(here.data_dir, "reload", {}, lambda done, total: told.append((done, total)))
        assert set(told) == {(0, 1)}
        assert here.source.noted == []
        await apart(here.bridge.submit, "Intanto", "c@pec.example")
        await until(lambda: len(here.simulator.calls(Operation.SEND)) == 2)
        hold.release.set()

        async def both_sent() -> bool:
            entries = await ask(here.data_dir, "queue list", {})
            return [one["state"] for one in entries] == ["submitted"] * 2

        await eventually(both_sent)
        assert len(here.simulator.calls(Operation.SEND)) == 2
        assert (await here.reload())["changed"] == ["log.level"]


async def test_a_stop_meanwhile_is_the_end_of_it(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        hold = Hold()
        rule = FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold)
        here.simulator.faults.add(rule)
        await apart(here.bridge.submit, "In mano", "c@pec.example")
        await hold.reached.wait()
        sending = here.bridge.bridge._sending
        assert sending is not None
        reloading = asyncio.ensure_future(here.bridge.bridge.reload())
        await until(lambda: here.bridge.bridge._reloading.locked())
        await until(lambda: sending._dispatcher._held)  # it waits for what is under way
        await apart(here.bridge.submit, "Poi", "c@pec.example")
        stopping = asyncio.ensure_future(here.bridge.bridge.stop())
        await asyncio.sleep(0)
        hold.release.set()
        with pytest.raises(OperationFailed, match="is stopping"):
            await reloading
        await stopping
        assert len(here.simulator.calls(Operation.SEND)) == 1


async def test_what_comes_after_is_told_once(tmp_path: Path) -> None:
    """Whoever was told of changes before the reload is told no more."""
    async with world(tmp_path) as here:
        for _ in range(3):
            await here.reload()
        resources = here.bridge.bridge._resources
        assert resource_subscribers(resources) == 2


def resource_subscribers(resources: object) -> int:
    return len(resources.mailboxes._subscribers._all)  # type: ignore[attr-defined]


async def test_without_a_file_there_is_nothing_to_reload(tmp_path: Path) -> None:
    bridge = Bridge(
        settings(tmp_path), secrets(PASSWORD, token="t"), clock=SystemClock(), random=Random(1)
    )
    await bridge.start()
    with pytest.raises(OperationFailed, match="no configuration to read anew"):
        await bridge.reload()
    await bridge.stop()


def test_what_needs_a_restart_is_named_and_kept(tmp_path: Path) -> None:
    old = settings(tmp_path)
    new = replace(
        old,
        data_dir=tmp_path / "elsewhere",
        imap=Imap((Listen("127.0.0.1", 1),)),
        send=replace(old.send, rate_per_s=2.0),
    )
    config, waits = kept(old, new)
    assert waits == ["data_dir", "imap.listen"]
    assert config == replace(old, send=new.send)


def test_changes_are_named_and_no_secret_is(tmp_path: Path) -> None:
    old = settings(tmp_path)
    one = old.account[0]
    new = replace(old, account=(replace(one, username="other"),))
    before, after = secrets("hush", token="hush"), secrets("silence", token="hush")
    told = changes(old, new, before, after)
    assert told == [
        f"account {ADDRESS}",
        f"the secret password of {ADDRESS}",
        f"the secret local_password of {ADDRESS}",
    ]


def test_receivers_whose_secret_is_another_are_named(tmp_path: Path) -> None:
    old = settings(tmp_path)
    hook = Webhook(url="https://erp.example/", secret=NOWHERE, name="erp")
    other = Receiver(url="https://other.example/", secret=NOWHERE)
    config = replace(
        old,
        account=(replace(old.account[0], webhook=(hook,)),),
        webhook=(hook,),
        alarms=Alarms(webhook=(other,)),
    )

    def signing(everybodys: str, own: str, alarms: str) -> Secrets:
        each = (ReceiverSecrets((Secret(everybodys),)), ReceiverSecrets((Secret(own),)))
        known = secrets("hush", token="hush")
        return replace(known, webhooks=each, alarms=(ReceiverSecrets((Secret(alarms),)),))

    before = signing("hush", "hush", "hush")
    assert changes(config, config, before, before) == []
    assert changes(config, config, before, signing("hush", "new", "hush")) == [
        f"the secret of webhook erp of {ADDRESS}"
    ]
    assert changes(config, config, before, signing("new", "hush", "new")) == [
        "the secret of webhook erp",
        "the secret of alarms.webhook other.example",
    ]
    assert changes(old, config, secrets("hush", token="hush"), before) == [
        "webhook",
        "alarms.webhook",
        f"account {ADDRESS}",
    ]


async def test_a_hook_is_taken_up_and_let_go_while_the_bridge_runs(tmp_path: Path) -> None:
    with receiving(Inbox()) as inbox:
        async with world(tmp_path) as one:
            hook = Webhook(url=inbox.url, secret=NOWHERE)
            own = secrets(PASSWORD, token=one.simulator.token)
            one.source.config = replace(one.source.config, webhook=(hook,))
            one.source.secrets = replace(own, webhooks=(ReceiverSecrets((Secret(SIGNING),)),))
            assert (await one.reload())["changed"] == ["webhook"]
            await apart(one.bridge.submit, "Uno", "silent-x@altra.example")
            await until(lambda: len(inbox.told()) >= 2)
            one.source.config = replace(one.source.config, webhook=())
            one.source.secrets = own
            await one.reload()
            heard = len(inbox.heard)
            await apart(one.bridge.submit, "Due", "silent-x@altra.example")
            await until(lambda: len(one.simulator.sent) == 2)
            assert len(inbox.heard) == heard
            assert await ask(one.data_dir, "webhook list", {}) == [], "nothing waits for it"
